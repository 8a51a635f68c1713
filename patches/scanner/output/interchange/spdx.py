"""
The packages of a host as an SPDX document, each with references to what is known of its vulnerabilities.

Source: SPDX specification 2.3, in JSON; annex K for references to advisories. The verdict is the comment of the
document's creation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from patches import __version__
from patches.scanner.inventory import Package
from patches.scanner.json_pieces import LazyList, json_pieces
from patches.scanner.matching.findings import Finding
from patches.scanner.matching.purls import PurlTexts
from patches.scanner.outcome import Outcome
from patches.scanner.output.phrases import page_of, remedy
from patches.wire import rfc3339
from patches.wording import counted

_DOCUMENT, _HOST = "SPDXRef-DOCUMENT", "SPDXRef-Host"


def spdx_pieces(outcome: Outcome) -> Iterator[str]:
    """Yield the text of the document of an outcome, in pieces."""
    numbered = range(len(outcome.coverage.packages))
    verdict = f"verdict {outcome.verdict}" + (f": {outcome.problem}" if outcome.problem else "")
    unjudged = counted(outcome.coverage.unjudged, "package")
    return json_pieces(
        {
            "spdxVersion": "SPDX-2.3",
            "dataLicense": "CC0-1.0",
            "SPDXID": _DOCUMENT,
            "name": outcome.host,
            "documentNamespace": UUID(outcome.scan_id).urn,
            "creationInfo": {
                "created": f"{rfc3339(outcome.finished)[:19]}Z",
                "creators": [f"Tool: Patches-{__version__}"],
                "comment": f"{verdict}; {unjudged} not judged",
            },
            "packages": LazyList(lambda: _packages(outcome)),
            "relationships": LazyList(
                lambda: (
                    _relationship(_DOCUMENT, "DESCRIBES", _HOST),
                    *(_relationship(_HOST, "CONTAINS", _ref(number)) for number in numbered),
                )
            ),
        }
    )


def _packages(outcome: Outcome) -> Iterator[dict[str, Any]]:
    yield {
        "SPDXID": _HOST,
        "name": outcome.system.name or outcome.platform or "unknown",
        "versionInfo": outcome.platform or "unknown",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "primaryPackagePurpose": "OPERATING-SYSTEM",
    }
    purls = PurlTexts(outcome.platform, outcome.coverage.scheme)
    found: dict[Package, list[Finding]] = {}
    for finding in outcome.counted:
        found.setdefault(finding.package, []).append(finding)
    for number, package in enumerate(outcome.coverage.packages):
        yield _package(package, purls[package], _ref(number), found.get(package, []))


def _package(package: Package, purl: str, ref: str, findings: list[Finding]) -> dict[str, Any]:
    known = _external("PACKAGE-MANAGER", "purl", purl)
    advisories = [
        _external("SECURITY", "advisory", page) | {"comment": f"{finding.vulnerability_id}: {remedy(finding)}"}
        for finding in findings
        if (page := page_of(finding))
    ]
    return {
        "SPDXID": ref,
        "name": package.name,
        "versionInfo": package.version,
        "supplier": f"Organization: {package.vendor}" if package.vendor else "NOASSERTION",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "sourceInfo": f"built from {package.source} {package.source_version}",
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
        "externalRefs": [known, *advisories],
    }


def _external(category: str, kind: str, locator: str) -> dict[str, str]:
    return {"referenceCategory": category, "referenceType": kind, "referenceLocator": locator}


def _relationship(one: str, kind: str, other: str) -> dict[str, str]:
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}


def _ref(number: int) -> str:
    return f"SPDXRef-Package-{number}"
