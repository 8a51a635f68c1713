"""Sentences about a finding, the same in every format."""

from __future__ import annotations

import re
from collections.abc import Iterable

from patches.cvss import base_score
from patches.scanner.matching.findings import Finding, Ignored, native_version
from patches.tracks import label_of
from patches.vulnerability import Facts, FixedPackage, Vulnerability

#: A page about the tool, for formats that require one: that of the first Patches.
INFORMATION = "https://github.com/mozilla/patches-server"


def remedy(finding: Finding) -> str:
    """Return a sentence that says how to repair a finding."""
    fixed, package = finding.fixed, finding.package
    name = f"{package.name} (source package {package.source})" if _by_source(finding) else package.name
    only = f", which is for {label_of(finding.track)}" if finding.track else ""
    only += f" ({finding.remark})" if finding.remark else ""
    if fixed.version is not None:
        return f"Upgrade {name} to {fixed.version} or later{only}."
    if fixed.last_affected is not None:
        return f"Upgrade {name} to a version after {fixed.last_affected}{only}."
    if fixed.status in ("fixed", "affected"):
        return f"There is no fix for {name} yet."
    return f"There is no fix for {name}: {fixed.status.replace('_', ' ')}."


def fix_text(fixed: FixedPackage, track: str | None = None) -> str:
    """
    Return the text of the column *Fixed in*: the fixed version, or why there is no such version.

    :param track: the track of the fix, which is named unless it is the main line.
    """
    only = f" for {label_of(track)}" if track is not None else ""
    if fixed.version is not None:
        return f"{native_version(fixed.version)}{only}"
    if fixed.last_affected is not None:
        return f"after {native_version(fixed.last_affected)}{only}"
    return "no fix yet" if fixed.status in ("fixed", "affected") else fixed.status.replace("_", " ")


def ignore_sentence(ignored: Ignored) -> str:
    """Return a sentence that says why a finding is ignored."""
    until = f" until {ignored.expires.isoformat()}" if ignored.expires else ""
    return f"Ignored{until}: {ignored.reason}"


def _by_source(finding: Finding) -> bool:
    return finding.fixed.kind == "source" and finding.package.source != finding.package.name


def score_of(facts: Facts) -> float | None:
    """Return the CVSS score of facts; lists of earlier servers have the vector only."""
    return facts.score if facts.score is not None else base_score(facts.cvss or "")


def score_of_records(records: Iterable[Vulnerability], vulnerability_id: str) -> float | None:
    """Return the highest CVSS score that records have for one of their ids; ``None`` if there is none."""
    scores = (score_of(record.facts_of(vulnerability_id)) for record in records)
    return max((score for score in scores if score is not None), default=None)


def score_of_finding(finding: Finding) -> float | None:
    """Return the highest CVSS score of a finding; ``None`` if there is none."""
    return score_of_records(finding.records, finding.vulnerability_id)


def title_of_finding(finding: Finding) -> str:
    """Return what a vulnerability is, in the words of the first record that says it; empty if none does."""
    return next((record.title for record in finding.records if record.title), "")


#: An http URL with a host, in the characters of RFC 3986; brackets are allowed only around an IPv6 address.
_ADDRESS = re.compile(
    r"https?://(?:[\w.~-]+|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?"
    r"(?:/(?:[\w.~!$&'()*+,;=:@/-]|%[0-9a-fA-F]{2})*)?"
    r"(?:\?(?:[\w.~!$&'()*+,;=:@/?-]|%[0-9a-fA-F]{2})*)?"
    r"(?:#(?:[\w.~!$&'()*+,;=:@/?-]|%[0-9a-fA-F]{2})*)?\Z",
    re.ASCII,
)


def links_of(findings: Iterable[Finding]) -> list[str]:
    """Return the URLs of descriptions in the records, each once; texts that are not valid URLs are skipped."""
    told = (record.details_href for finding in findings for record in finding.records)
    return list(dict.fromkeys(href for href in told if _ADDRESS.match(href)))


#: URLs that are read by programs: of an API, or of a document in JSON.
_FOR_PROGRAMS = re.compile(r"https?://api\.|/(?:api|rest|v\d+)/|\.json(?:[?#]|\Z)")
_CVE = re.compile(r"CVE-\d{4}-\d{4,}\Z")


def page_of(finding: Finding) -> str:
    """Return the URL of a page about a finding for people: that of a record, or else NVD's; empty if there is none."""
    pages = (link for link in links_of((finding,)) if not _FOR_PROGRAMS.search(link))
    known = f"https://nvd.nist.gov/vuln/detail/{finding.vulnerability_id}"
    return next(pages, known if _CVE.match(finding.vulnerability_id) else "")
