"""An attack: a seeded function that returns what it tried and the worst figures that it saw; and its program."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any
from unittest import SkipTest

from attrs import Factory, asdict, frozen

#: The exit code of an attack that cannot be made on this machine.
SKIPPED = 77


@frozen
class Outcome:
    """
    The result of an attack.

    :ivar promise: what should hold, in a few words: ``server: resident ≤ 256 MiB``.
    :ivar tried: what was tried: ``9,200 half requests``.
    :ivar worst: the worst figure that was seen, with its unit.
    :ivar holds: whether the promise held.
    :ivar more: further figures, for people.
    :ivar times: how often it was tried.
    """

    promise: str
    tried: str
    worst: str
    holds: bool
    more: tuple[str, ...] = Factory(tuple)
    times: int = 1

    def text(self) -> str:
        """Return the outcome as lines for people."""
        verdict = "holds" if self.holds else "BROKEN"
        return "\n".join((f"{self.promise}: {self.worst} ({self.tried}): {verdict}", *(f"  {m}" for m in self.more)))


def program(doc: str | None, attack: Callable[..., Outcome | list[Outcome]], **scales: int) -> None:
    """
    Run an attack as a program, in a temporary folder.

    The exit code is 0 if what is promised holds, 1 if it does not, 77 if the attack cannot be made on this machine.

    :param attack: called with a seeded random generator, a folder, and the scales by name; it raises
        :exc:`unittest.SkipTest` if this machine lacks what it needs.
    :param scales: the numbers that the command line can change, with their defaults.
    """
    parser = argparse.ArgumentParser(description=(doc or "").strip(), formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seed", type=int, default=1, help="the seed of the random generator (default: 1)")
    parser.add_argument("--json", type=Path, help="a file to which the outcomes are written too")
    for name, default in scales.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=default, help=f"default: {default}")
    given: dict[str, Any] = vars(parser.parse_args())
    seed, path = given.pop("seed"), given.pop("json")
    with tempfile.TemporaryDirectory(prefix="patches-chaos-") as folder:
        try:
            found = attack(Random(seed), Path(folder), **given)
        except SkipTest as reason:
            print(f"skipped: {reason}")
            sys.exit(SKIPPED)
    outcomes = found if isinstance(found, list) else [found]
    for outcome in outcomes:
        print(outcome.text(), flush=True)
    if path is not None:
        path.write_text(json.dumps([asdict(outcome) for outcome in outcomes], indent=1))
    sys.exit(0 if all(outcome.holds for outcome in outcomes) else 1)
