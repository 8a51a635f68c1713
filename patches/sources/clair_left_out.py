"""What is left out of a Clair's list, and of which entry: read again, an entry is counted once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from attrs import define, field

#: So many entries that were left out are remembered by name; a list with more of them is always read whole.
MAX_LEFT_OUT = 1_000


@define(eq=False)
class LeftOut:
    """
    What is left out of a list.

    :ivar reasons: by the name of the entry, how often each.
    :ivar counts: by reason.
    :ivar is_known: whether it is few enough to be remembered by the names of entries.
    """

    reasons: dict[str, Counter[str]] = field(factory=dict)
    counts: Counter[str] = field(factory=Counter)
    is_known: bool = True

    @classmethod
    def of(cls, reasons: Mapping[str, Counter[str]]) -> LeftOut:
        """Begin with what was left out before."""
        return cls(dict(reasons), sum(reasons.values(), Counter()))

    def note(self, name: str, reasons: Iterable[str]) -> None:
        """Note what is left out of an entry, in place of what was before."""
        self.counts -= self.reasons.pop(name, Counter())
        noted = Counter(reasons)
        self.counts.update(noted)
        if noted:
            self.is_known = self.is_known and len(self.reasons) < MAX_LEFT_OUT
            if self.is_known:
                self.reasons[name] = noted
