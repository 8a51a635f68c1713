"""What is left out of a Clair's list, and of which entry: read again, an entry is counted once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from attrs import define, field

#: So many entries that were left out are remembered by name; a list with more of them is always read whole.
MAX_LEFT_OUT = 10_000


@define(eq=False)
class LeftOut:
    """
    What is left out of a list.

    :ivar reasons: by the name of the entry.
    :ivar counts: by reason.
    :ivar is_known: whether it is few enough to be remembered by the names of entries.
    """

    reasons: dict[str, tuple[str, ...]] = field(factory=dict)
    counts: Counter[str] = field(factory=Counter)
    is_known: bool = True

    @classmethod
    def of(cls, reasons: Mapping[str, tuple[str, ...]]) -> LeftOut:
        """Begin with what was left out before."""
        return cls(dict(reasons), Counter(reason for several in reasons.values() for reason in several))

    def note(self, name: str, reasons: Iterable[str]) -> None:
        """Note what is left out of an entry, in place of what was before."""
        self.counts -= Counter(self.reasons.pop(name, ()))
        reasons = tuple(reasons)
        self.counts.update(reasons)
        if reasons:
            self.is_known = self.is_known and len(self.reasons) < MAX_LEFT_OUT
            if self.is_known:
                self.reasons[name] = reasons
