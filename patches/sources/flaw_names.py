"""The names of flaws, found in whatever text a feed hides them in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_CVE = re.compile(r"(?<![A-Z0-9])CVE[-_](\d{4})[-_](\d{4,19})(?![0-9])", re.IGNORECASE)
_GHSA = re.compile(r"(?<![A-Z0-9])GHSA((?:-[0-9A-Z]{4}){3})(?![0-9A-Z])", re.IGNORECASE)


def cves(text: str) -> Iterator[str]:
    """Give the CVE ids in a text, as MITRE writes them."""
    for year, number in _CVE.findall(text):
        yield f"CVE-{year}-{number}"


def ghsas(text: str) -> Iterator[str]:
    """Give the ids of GitHub's advisories in a text, as GitHub writes them."""
    for digits in _GHSA.findall(text):
        yield f"GHSA{digits.lower()}"


def flaw_names(texts: Iterable[str]) -> tuple[str, ...]:
    """Give the CVE ids and the ids of GitHub's advisories in texts: each once, in order."""
    return tuple(sorted({name for text in texts for names in (cves, ghsas) for name in names(text)}))
