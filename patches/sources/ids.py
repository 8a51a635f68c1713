"""Ids of vulnerabilities and advisories, extracted from free text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_CVE = re.compile(r"(?<![A-Z0-9])CVE[-_](\d{4})[-_](\d{4,19})(?![0-9])", re.IGNORECASE)
_GHSA = re.compile(r"(?<![A-Z0-9])GHSA((?:-[0-9A-Z]{4}){3})(?![0-9A-Z])", re.IGNORECASE)
#: Other vulnerability ids: ``XSA-207``, ``RUSTSEC-2020-0146``, ``ELSA-2024-0001``.
_OTHER = re.compile(r"(?<![\w-])[A-Z]{2,}[0-9]*(?:-[A-Z]+)*(?:-[0-9]+)+(?![\w-])")

_ERRATUM = re.compile(r"(?<![A-Z0-9])RH[SBE]A-\d{4}:\d{4,6}(?![0-9])")


def cves(text: str) -> Iterator[str]:
    """Yield the CVE ids in a text, in MITRE's notation."""
    for year, number in _CVE.findall(text):
        yield f"CVE-{year}-{number}"


def ghsas(text: str) -> Iterator[str]:
    """Yield the ids of GitHub's advisories in a text, in GitHub's notation."""
    for digits in _GHSA.findall(text):
        yield f"GHSA{digits.lower()}"


def errata(text: str) -> list[str]:
    """Return the ids of Red Hat's advisories in a text."""
    return _ERRATUM.findall(text)


def vulnerability_ids(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the CVE ids and the ids of GitHub's advisories in texts, sorted and without duplicates."""
    return tuple(sorted({name for text in texts for names in (cves, ghsas) for name in names(text)}))


def split_ids(text: str) -> tuple[list[str], set[str]]:
    """
    Split a text that may contain several ids, and remarks: ``CVE-2016-6258 XSA-182``.

    :return: the vulnerability ids: CVE ids, else those of GitHub's advisories, else others; and their aliases.
    """
    kinds = [list(cves(text)), list(ghsas(text)), [name for name in _OTHER.findall(text) if name[:4] != "CVE-"]]
    kinds = [list(dict.fromkeys(kind)) for kind in kinds if kind]
    return (kinds[0], {name for kind in kinds[1:] for name in kind}) if kinds else ([], set())
