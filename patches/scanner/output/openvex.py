"""
The outcome of a scan as OpenVEX: one statement for each finding.

Source: OpenVEX specification 0.2.0. Packages that were not compared cannot be expressed, because each statement names a
vulnerability. The verdict is in ``tooling``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from patches import __version__
from patches.scanner.json_pieces import LazyList, json_pieces
from patches.scanner.matching.findings import Finding, Ignored
from patches.scanner.matching.purls import PurlTexts
from patches.scanner.outcome import Outcome
from patches.scanner.output.phrases import ignore_sentence, links_of, remedy
from patches.wire import rfc3339
from patches.wording import counted

CONTEXT = "https://openvex.dev/ns/v0.2.0"


def openvex_pieces(outcome: Outcome) -> Iterator[str]:
    """
    Yield the text of the document of an outcome, in pieces.

    The specification requires a statement, so the document of an outcome without findings is not to be written.
    """
    verdict = f"verdict {outcome.verdict}" + (f": {outcome.problem}" if outcome.problem else "")
    unjudged = outcome.coverage.unjudged
    verdict += f", {counted(unjudged, 'package')} not judged" if unjudged else ""
    document = {
        "@context": CONTEXT,
        "@id": UUID(outcome.scan_id).urn,
        "author": f"Patches on {outcome.host}",
        "role": "Vulnerability scanner",
        "timestamp": rfc3339(outcome.finished),
        "version": 1,
        "tooling": f"Patches {__version__}, {verdict}",
        "statements": LazyList(lambda: _statements(outcome)) if outcome.shown else [],
    }
    return json_pieces(document)


def _statements(outcome: Outcome) -> Iterator[dict[str, Any]]:
    """Yield the statements; packages with the same purl, which have the same name and version, share one."""
    purls = PurlTexts(outcome.platform, outcome.coverage.scheme)
    purls.add(dict.fromkeys(finding.package for finding in outcome.shown))
    told: set[tuple[str, str]] = set()
    for finding in outcome.shown:
        purl = purls[finding.package]
        if purls.is_shared(purl):
            if (finding.vulnerability_id, purl) in told:
                continue
            told.add((finding.vulnerability_id, purl))
        yield _statement(finding, purl)


def _statement(finding: Finding, purl: str) -> dict[str, Any]:
    links, aliases = links_of((finding,)), list(finding.names[1:])
    vulnerability = {"@id": links[0] if links else None, "name": finding.vulnerability_id, "aliases": aliases or None}
    return {
        "vulnerability": {name: value for name, value in vulnerability.items() if value is not None},
        "products": [{"@id": purl, "identifiers": {"purl": purl}}],
        **_status(finding, finding.ignored),
    }


def _status(finding: Finding, ignored: Ignored | None) -> dict[str, Any]:
    """
    Return the status of a finding and its explanation.

    Only a decision with one of OpenVEX's justifications is a claim that a program can check: any other leaves the
    package affected, and its reason is what the host's owner does about it.
    """
    if ignored is None:
        return {"status": "affected", "action_statement": remedy(finding)}
    if ignored.status == "fixed":
        return {"status": "fixed", "status_notes": ignored.reason}
    if ignored.status == "not_affected" and ignored.justification is not None:
        return {"status": "not_affected", "justification": ignored.justification, "status_notes": ignored.reason}
    return {"status": "affected", "action_statement": ignore_sentence(ignored)}
