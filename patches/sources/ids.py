"""Ids of vulnerabilities and advisories, extracted from free text and from the names that sources give."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeGuard

from attrs import evolve, frozen

from patches.vulnerability import Vulnerability

_CVE = re.compile(r"(?<![A-Z0-9])CVE[-_](\d{4})[-_](\d{4,19})(?![0-9])", re.IGNORECASE)
_BARE_CVE = re.compile(r"CVE-\d{4}-\d{4,19}", re.ASCII)
_GHSA = re.compile(r"(?<![A-Z0-9])GHSA((?:-[0-9A-Z]{4}){3})(?![0-9A-Z])", re.IGNORECASE)
#: Other vulnerability ids: ``XSA-207``, ``RUSTSEC-2020-0146``, ``ELSA-2024-0001``.
_OTHER = re.compile(r"(?<![\w-])[A-Z]{2,}[0-9]*(?:-[A-Z]+)*(?:-[0-9]+)+(?::[0-9]+)?(?![\w-])")
#: The beginnings of titles, which repeat what the record says: ``: curl security update``, ``on Ubuntu 22.04``.
_TITLE = re.compile(r"\s*(?::|on\s)")
#: The most characters of a note.
_LONGEST = 120

_ERRATUM = re.compile(r"(?<![A-Z0-9])RH[SBE]A-\d{4}:\d{4,6}(?![0-9])")


def cves(text: str) -> Iterator[str]:
    """Yield the CVE ids in a text, in MITRE's notation."""
    for year, number in _CVE.findall(text):
        yield f"CVE-{year}-{number}"


def is_cve(value: Any) -> TypeGuard[str]:
    """Return whether a value is the id of a CVE, and nothing else."""
    return isinstance(value, str) and _BARE_CVE.fullmatch(value) is not None


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


@frozen
class NamedId:
    """
    An id in the name that a source gives to a vulnerability.

    :ivar name: the bare id; the whole name, if it has none.
    :ivar note: the rest of the name, ``XSA-182`` or ``LDP``; ``None`` if there is no rest, or the rest is a title.
    :ivar aliases: other ids in the rest.
    """

    name: str
    note: str | None = None
    aliases: frozenset[str] = frozenset()


def named_ids(text: str) -> list[NamedId]:
    """Return the ids in the name that a source gives to a vulnerability: ``CVE-2018-14461 (LDP)``."""
    names, aliases = split_ids(text)
    if len(text.split()) == 1 and not any(name.startswith(("CVE-", "GHSA-")) for name in names):
        names, aliases = [], set()
    return [NamedId(name, _rest(text, name), frozenset(aliases)) for name in names] or [NamedId(text)]


def bare(vulnerability: Vulnerability) -> Iterator[Vulnerability]:
    """Yield a vulnerability under each id in its name; the rest of the name is its note."""
    if _BARE_CVE.fullmatch(vulnerability.name):
        yield vulnerability
        return
    for found in named_ids(vulnerability.name):
        aliases = {*vulnerability.aliases, *found.aliases} - {found.name}
        note = "; ".join(filter(None, (found.note, vulnerability.note))) or None
        is_same = found.name == vulnerability.name
        yield (
            vulnerability
            if is_same
            else evolve(vulnerability, name=found.name, note=note, aliases=tuple(sorted(aliases)))
        )


def _rest(text: str, name: str) -> str | None:
    """Return a text without an id that it contains in any notation, and without the brackets and marks around it."""
    if text == name:
        return None
    pattern = "[-_]".join(map(re.escape, name.split("-")))
    before, *after = re.split(pattern, text, maxsplit=1, flags=re.IGNORECASE)
    rest = " ".join([*before.split(), *(() if _TITLE.match("".join(after)) else "".join(after).split())])
    bare = rest.strip(" ,;:-")
    inner = bare[1:-1]
    bare = inner if bare[:1] == "(" and bare[-1:] == ")" and not set("()") & set(inner) else bare
    return ascii(bare)[1:-1][:_LONGEST].rstrip() or None


def split_ids(text: str) -> tuple[list[str], set[str]]:
    """
    Split a text that may contain several ids, and remarks: ``CVE-2016-6258 XSA-182``.

    :return: the vulnerability ids: CVE ids, else those of GitHub's advisories, else others; and their aliases.
    """
    kinds = [list(cves(text)), list(ghsas(text)), [name for name in _OTHER.findall(text) if name[:4] != "CVE-"]]
    kinds = [list(dict.fromkeys(kind)) for kind in kinds if kind]
    return (kinds[0], {name for kind in kinds[1:] for name in kind}) if kinds else ([], set())
