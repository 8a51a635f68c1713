"""
Records of sources without characters that cannot be shown, as the server takes them in.

A text of a source may contain what a terminal obeys (``ESC [ 2 J``), what reorders the text around it (U+202E), or what
nobody sees (U+200B). Characters of the Unicode categories *Other* (controls, format characters, surrogates, private
use, unassigned) and *Separator*, except the blank, become visible escapes, such as ``\\x1b``; see
:meth:`str.isprintable` and Unicode Standard Annex 44, General_Category_Values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from attrs import evolve

from patches.vulnerability import Facts, FixedPackage, Vulnerability, canonical_id
from patches.wire import decode_lines, encode_line
from patches.wording import printable

_KNOWN = re.compile(r"(?:CVE-\d{4}-\d{4,}|GHSA(?:-[0-9a-z]{4}){3})\Z", re.ASCII)
#: The most characters of a note that is made of a name.
_LONGEST = 120


def escaped_record(record: Vulnerability) -> Vulnerability:
    """
    Return a record in which every text can be shown; most records are returned as they are.

    An id stays one under which findings are joined: characters that cannot be shown are no part of it, and what the
    source wrote is its note. A version with such characters is no version: the package is ``unreadable``, with a note.
    """
    if "".join(_texts(record)).isprintable():
        return record
    name, said = escaped_id(record.name)
    notes = (printable(note) for note in (said, record.note) if note)
    return Vulnerability(
        name=name,
        platform=printable(record.platform),
        fixed_in=tuple(map(_escaped_package, record.fixed_in)),
        severity=record.severity,
        details_href=printable(record.details_href),
        aliases=tuple(dict.fromkeys(escaped_id(alias)[0] for alias in record.aliases)),
        source=printable(record.source),
        published=_or_none(record.published),
        cvss=_or_none(record.cvss),
        note="; ".join(notes) or None,
        followed=tuple(map(printable, record.followed)),
        severity_source=_or_none(record.severity_source),
        score=record.score,
        kev=record.kev,
        epss=record.epss,
        title=_or_none(record.title),
        facts=tuple((escaped_id(name)[0], _escaped_facts(facts)) for name, facts in record.facts),
        entry=record.entry,
    )


def escaped_line(line: bytes) -> bytes:
    """
    Return a line of the wire format in which every text can be shown.

    :raises MalformedWire: if it is not a record.
    """
    text = line.decode("utf-8", "replace").removesuffix("\n")
    if "\\" not in text and text.isprintable():
        return line  # without an escape of JSON, what is shown is all that there is
    (record,) = decode_lines(line)
    shown = escaped_record(record)
    return line if shown == record and text.isprintable() else encode_line(shown)


def escaped_id(text: str) -> tuple[str, str | None]:
    """
    Return an id that can be shown, and what it was made of, if that is more than it.

    The id of a CVE or of a GitHub advisory is found between and before characters that cannot be shown; any other id
    has escapes.
    """
    if text.isprintable():
        return text, None
    bare = "".join(char for char in text if char.isprintable())
    found = canonical_id(bare)
    if _KNOWN.match(found):
        return found, printable(text)[:_LONGEST]
    return printable(text), None


def _escaped_package(package: FixedPackage) -> FixedPackage:
    versions = (package.version, package.introduced, package.last_affected)
    shown = evolve(
        package,
        name=printable(package.name),
        arches=tuple(map(printable, package.arches)) if package.arches is not None else None,
        module=_or_none(package.module),
        track=_or_none(package.track),
        note=_or_none(package.note),
    )
    odd = [version for version in versions if version is not None and not version.isprintable()]
    if not odd:
        return shown
    note = f"the version {printable(odd[0])[:64]} is not valid"
    return evolve(shown, version=None, introduced=None, last_affected=None, status="unreadable", note=note)


def _escaped_facts(facts: Facts) -> Facts:
    return evolve(facts, cvss=_or_none(facts.cvss), severity_source=_or_none(facts.severity_source))


def _texts(record: Vulnerability) -> Iterator[str]:
    yield from (record.name, record.platform, record.details_href, record.source, *record.aliases, *record.followed)
    yield from filter(None, (record.published, record.cvss, record.note, record.severity_source, record.title))
    for name, facts in record.facts:
        yield from (name, *filter(None, (facts.cvss, facts.severity_source)))
    for package in record.fixed_in:
        yield package.name
        yield from package.arches or ()
        rare = (package.module, package.track, package.note)
        yield from filter(None, (package.version, package.introduced, package.last_affected, *rare))


def _or_none(text: str | None) -> str | None:
    return None if text is None else printable(text)
