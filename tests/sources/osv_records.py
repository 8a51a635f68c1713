"""Small records in OSV's format, for tests."""

from __future__ import annotations

from typing import Any

from patches.sources.osv.ecosystems import ECOSYSTEMS, Ecosystems
from patches.sources.osv.parser import parse_record
from patches.sources.parse_context import ParseContext
from patches.vulnerability import Vulnerability


def affected(ecosystem: str, name: str, fixed: str | None = None, **rest: Any) -> dict[str, Any]:
    """Return an element of ``affected``: from the first version to a fix, if there is one."""
    events = [{"introduced": "0"}, *([{"fixed": fixed}] if fixed is not None else [])]
    package = {"ecosystem": ecosystem, "name": name}
    return {"package": package, "ranges": [{"type": "ECOSYSTEM", "events": events}], **rest}


def record(record_id: str, *entries: dict[str, Any], **rest: Any) -> dict[str, Any]:
    """Return a record."""
    return {"id": record_id, "modified": "2024-05-06T07:08:09Z", "affected": list(entries), **rest}


def parse(
    document: Any, *wanted: str, ecosystems: Ecosystems = ECOSYSTEMS
) -> tuple[dict[str, Vulnerability], dict[str, int]]:
    """Parse a record. Return its vulnerabilities by platform, and the counts of skipped parts."""
    context = ParseContext("osv", wanted or None)
    found = list(parse_record(document, context, ecosystems))
    assert len({vulnerability.platform for vulnerability in found}) == len(found), "a platform came twice"
    return {vulnerability.platform: vulnerability for vulnerability in found}, dict(context.skipped)


def only(document: Any) -> Vulnerability:
    """Parse a record about one platform, and check that nothing is skipped."""
    found, skipped = parse(document)
    assert not skipped, skipped
    (vulnerability,) = found.values()
    return vulnerability
