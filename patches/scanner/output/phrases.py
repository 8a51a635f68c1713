"""What is said of a finding in words, the same in every document."""

from __future__ import annotations

import re
from collections.abc import Iterable

from patches.scanner.matching.findings import Finding, Ignored


def remedy(finding: Finding) -> str:
    """Say what to do about a finding, in a sentence."""
    fixed, package = finding.fixed, finding.package
    name = f"{package.name} (source package {package.source})" if _by_source(finding) else package.name
    only = f", which is in the channel {fixed.channel}" if fixed.channel else ""
    if fixed.version is not None:
        return f"Upgrade {name} to {fixed.version} or later{only}."
    if fixed.last_affected is not None:
        return f"Upgrade {name} to a version after {fixed.last_affected}{only}."
    if fixed.status in ("fixed", "affected"):
        return f"There is no fix for {name} yet."
    return f"There is no fix for {name}: {fixed.status.replace('_', ' ')}."


def ignore_sentence(ignored: Ignored) -> str:
    """Say why a finding is ignored, in a sentence."""
    until = f" until {ignored.expires.isoformat()}" if ignored.expires else ""
    return f"Ignored{until}: {ignored.reason}"


def _by_source(finding: Finding) -> bool:
    return finding.fixed.kind == "source" and finding.package.source != finding.package.name


#: The characters of RFC 3986, with a host; brackets only as an IPv6 address has them.
_ADDRESS = re.compile(
    r"https?://(?:[\w.~-]+|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?"
    r"(?:/(?:[\w.~!$&'()*+,;=:@/-]|%[0-9a-fA-F]{2})*)?"
    r"(?:\?(?:[\w.~!$&'()*+,;=:@/?-]|%[0-9a-fA-F]{2})*)?"
    r"(?:#(?:[\w.~!$&'()*+,;=:@/?-]|%[0-9a-fA-F]{2})*)?\Z",
    re.ASCII,
)


def links_of(findings: Iterable[Finding]) -> list[str]:
    """Give the addresses at which to read more, each once."""
    told = (record.details_href for finding in findings for record in finding.records)
    return list(dict.fromkeys(href for href in told if _ADDRESS.match(href)))
