"""The entries, and packages of entries, that were skipped in one of Clair's lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from attrs import define, field

#: The highest number of skipped entries that are remembered by name; a list with more is always read completely.
MAX_LEFT_OUT = 1_000


@define(eq=False)
class SkippedEntries:
    """
    The entries, and packages of entries, that were skipped in a list.

    :ivar reasons: the number of times each reason occurs, by the name of the entry.
    :ivar counts: the number of times each reason occurs in the list.
    :ivar is_known: whether there are few enough to remember the names of entries.
    """

    reasons: dict[str, Counter[str]] = field(factory=dict)
    counts: Counter[str] = field(factory=Counter)
    is_known: bool = True

    @classmethod
    def of(cls, reasons: Mapping[str, Counter[str]]) -> SkippedEntries:
        """Create from the skipped entries of the previous pass."""
        return cls(dict(reasons), sum(reasons.values(), Counter()))

    def note(self, name: str, reasons: Collection[str]) -> None:
        """Record the reasons of an entry, replacing those of earlier passes."""
        if not reasons and name not in self.reasons:
            return
        self.counts -= self.reasons.pop(name, Counter())
        noted = Counter(reasons)
        self.counts.update(noted)
        if noted:
            self.is_known = self.is_known and len(self.reasons) < MAX_LEFT_OUT
            if self.is_known:
                self.reasons[name] = noted
