"""The result of one check: whether something is wrong, in one line, with the remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from attrs import field, frozen

from patches.wording import one_line, printable

OK, WARNING, PROBLEM = "ok", "warning", "problem"


@frozen
class Check:
    """
    The result of a check.

    :ivar name: of what was checked.
    :ivar state: ``ok``, ``warning`` or ``problem``.
    :ivar text: what was found, in one line.
    :ivar remedy: what to do; empty: nothing.
    """

    name: str
    state: str
    text: str = field(converter=printable)
    remedy: str = ""

    @property
    def line(self) -> str:
        """The check as one line."""
        remedy = f"; {self.remedy}" if self.remedy else ""
        return printable(f"{self.state:<7}  {self.name}: {self.text}{remedy}")


def guarded(name: str, check: Callable[[], Check]) -> Check:
    """Make a check; an error that nobody expected is a problem, and hinders no other check."""
    try:
        return check()
    except Exception as error:
        return Check(name, PROBLEM, f"the check failed: {one_line(error)}")


def checks_document(checks: Iterable[Check]) -> dict[str, Any]:
    """Convert checks to a JSON document."""
    told = [{"name": each.name, "state": each.state, "text": each.text, "remedy": each.remedy} for each in checks]
    worst = next((state for state in (PROBLEM, WARNING) if any(each["state"] == state for each in told)), OK)
    return {"state": worst, "checks": told}
