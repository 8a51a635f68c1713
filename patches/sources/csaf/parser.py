"""
Parser of Red Hat's VEX documents, in CSAF's format: one per CVE, with every affected or unaffected product.

Only the products of Enterprise Linux itself are read; see :mod:`patches.sources.red_hat`.

Source: *Common Security Advisory Framework Version 2.0*, OASIS, sections 3.2 and 4.5; claircore's ``rhel/vex``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from patches.skipped import NO_ID, NO_RECORD, UNKNOWN, WITHDRAWN
from patches.sources.archive.members import json_documents
from patches.sources.csaf.products import ProductTree
from patches.sources.csaf.statuses import ReleaseStatements, releases_of
from patches.sources.fields import dicts, is_link, is_name, object_of, severity_in, time_in
from patches.sources.ids import errata
from patches.sources.parse_context import ParseContext
from patches.sources.titles import title_of
from patches.vulnerability import Severity, Vulnerability

_PAGE = "https://access.redhat.com/security/cve/{}"
#: The reason for which statements about products are skipped that the product tree does not have.
_UNKNOWN = f"{UNKNOWN}product"
_SCORES = ("cvss_v3", "cvss_v4", "cvss_v2")


def parse_csaf(members: Iterable[tuple[str, bytes]], context: ParseContext) -> Iterator[Vulnerability]:
    """
    Yield the vulnerabilities of documents, one per document and release.

    :param members: the name and the content of each document.
    :raises SourceError: if there is no VEX document among them.
    """
    for document in json_documents(members, _is_vex, "a VEX document in CSAF's format", context):
        yield from _parse_document(document, context)


def _is_vex(document: Any) -> bool:
    return (
        isinstance(document, dict)
        and isinstance(document.get("document"), dict)
        and document["document"].get("category") == "csaf_vex"
    )


def _parse_document(document: dict[str, Any], context: ParseContext) -> Iterator[Vulnerability]:
    tracking = object_of(document["document"].get("tracking"))
    if tracking.get("status") == "deleted":
        context.skip(WITHDRAWN)
        return
    products = ProductTree(document.get("product_tree"))
    listed = document.get("vulnerabilities")
    contents = dicts(listed)
    if not isinstance(listed, list) or not listed or len(contents) < len(listed):
        context.skip(NO_RECORD)
    for content in contents:
        name = content.get("cve", tracking.get("id"))
        releases, has_unknown = releases_of(content, products)
        if not is_name(name):
            context.skip(NO_ID)
        elif _is_rejected(content):
            context.skip("rejected")
        elif not releases:
            context.skip(_UNKNOWN if has_unknown else "not in RHEL")
        else:
            if has_unknown:
                context.skip(_UNKNOWN)
            for platform, release in sorted(releases.items()):
                packages = release.packages(context) if context.wants(platform) else ()
                if packages:
                    severity = _severity(content, release) or _aggregate(document)
                    common = _common(name, content, release)
                    yield Vulnerability(name, platform, packages, severity, source=context.source, **common)


def _is_rejected(content: dict[str, Any]) -> bool:
    """Return whether a CVE was rejected: its document remains, without an impact and with scores of zero."""
    scores = [object_of(score.get(kind)) for score in dicts(content.get("scores")) for kind in _SCORES if kind in score]
    return bool(scores) and not _impacts(content) and all(score.get("baseScore") == 0 for score in scores)


def _impacts(content: dict[str, Any]) -> list[dict[str, Any]]:
    return [threat for threat in dicts(content.get("threats")) if threat.get("category") == "impact"]


def _severity(content: dict[str, Any], release: ReleaseStatements) -> Severity:
    words = [threat.get("details") for threat in _impacts(content) if release.concerns(threat.get("product_ids"))]
    return max(map(severity_in, words), default=Severity.UNKNOWN)


def _aggregate(document: dict[str, Any]) -> Severity:
    return severity_in(object_of(document["document"].get("aggregate_severity")).get("text"))


def _common(name: str, content: dict[str, Any], release: ReleaseStatements) -> dict[str, Any]:
    pages = [each.get("url") for each in dicts(content.get("references")) if each.get("category") == "self"]
    fixes = [
        each["url"]
        for each in dicts(content.get("remediations"))
        if each.get("category") == "vendor_fix"
        and is_link(each.get("url"))
        and release.concerns(each.get("product_ids"))
    ]
    return {
        "details_href": next((page for page in pages if is_link(page)), _PAGE.format(name)),
        "aliases": tuple(sorted({erratum for url in fixes for erratum in errata(url)})),
        "published": time_in(content.get("release_date")),
        "cvss": _vector(content, release),
        "title": title_of(content.get("title"), *_notes(content, "summary"), *_notes(content, "description")),
    }


def _notes(content: dict[str, Any], category: str) -> list[Any]:
    return [note.get("text") for note in dicts(content.get("notes")) if note.get("category") == category]


def _vector(content: dict[str, Any], release: ReleaseStatements) -> str | None:
    scores = [score for score in dicts(content.get("scores")) if release.concerns(score.get("products"))]
    vectors = [object_of(score.get(kind)).get("vectorString") for kind in _SCORES for score in scores]
    return next((vector for vector in vectors if is_name(vector)), None)
