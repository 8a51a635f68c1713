"""Links out of lists: only what is an address on the web, so that a document stays one that its schema takes."""

from __future__ import annotations

import re
from collections.abc import Iterable

from patches.scanner.findings import Finding

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
