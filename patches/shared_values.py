"""
Values that many records have in common, each of them in memory once.

The records of a list repeat themselves: the source, the dates, the vectors, the fix of a package that closes twenty
vulnerabilities. Each line of a list is parsed by itself, so that all of this would be there as often as it is named.
"""

from __future__ import annotations

from typing import TypeVar

from attrs import evolve

from patches.vulnerability import Facts, FixedPackage, Vulnerability

#: The most texts that are remembered, and the most fixes; then they begin anew: they are shared most by what is near.
MOST_SHARED = 10_000
#: The most characters of a text that is kept: far more than any that is real, so that no list makes a finding large.
MOST_CHARACTERS = 1000
_TEXTS_OF_FIX = ("name", "version", "kind", "introduced", "status", "module", "last_affected", "track", "note")

_Text = TypeVar("_Text", str, str | None)
_Value = TypeVar("_Value", str, FixedPackage)


class SharedValues:
    """The values that were seen so far."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._fixes: dict[FixedPackage, FixedPackage] = {}
        self._records: tuple[Vulnerability, ...] = ()
        self._last: tuple[Vulnerability, Vulnerability] | None = None

    def records(self, records: tuple[Vulnerability, ...]) -> tuple[Vulnerability, ...]:
        """Return records of a finding; those of an advisory with several ids, or several packages, are the same."""
        if len(records) == len(self._records) and all(map(lambda a, b: a is b, records, self._records)):
            return self._records
        self._records = records
        return records

    def fix(self, fixed: FixedPackage) -> FixedPackage:
        """Return a fix with shared values."""
        known = self._fixes.get(fixed)
        if known is not None:
            return known
        shared = evolve(fixed, **{name: self.text(getattr(fixed, name)) for name in _TEXTS_OF_FIX})
        return _remember(self._fixes, shared)

    def record(self, vulnerability: Vulnerability) -> Vulnerability:
        """Return a record with shared values, without its packages: an advisory may have thousands."""
        if self._last is None or self._last[0] is not vulnerability:
            slim = evolve(
                vulnerability,
                fixed_in=(),
                name=self.text(vulnerability.name),
                details_href=vulnerability.details_href[:MOST_CHARACTERS],
                aliases=tuple(map(self.text, vulnerability.aliases)),
                platform=self.text(vulnerability.platform),
                source=self.text(vulnerability.source),
                published=self.text(vulnerability.published),
                cvss=self.text(vulnerability.cvss),
                note=self.text(vulnerability.note),
                followed=(),
                severity_source=self.text(vulnerability.severity_source),
                kev=self.text(vulnerability.kev),
                facts=tuple((self.text(name), self._facts(facts)) for name, facts in vulnerability.facts),
            )
            self._last = vulnerability, slim
        return self._last[1]

    def _facts(self, facts: Facts) -> Facts:
        shared = {name: self.text(getattr(facts, name)) for name in ("severity_source", "cvss", "kev")}
        return evolve(facts, **shared)

    def text(self, text: _Text) -> _Text:
        """Return a text, cut if it is longer than any that is real, or ``None``."""
        if text is None or (len(text) <= MOST_CHARACTERS and text in self._texts):
            return text if text is None else self._texts[text]
        return _remember(self._texts, text[:MOST_CHARACTERS])


def _remember(values: dict[_Value, _Value], value: _Value) -> _Value:
    if len(values) >= MOST_SHARED:
        values.clear()
    values[value] = value
    return value
