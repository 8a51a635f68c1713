"""An attack: a seeded function that returns what it tried and the worst figures that it saw; and its program."""

from __future__ import annotations

import argparse
import inspect
import json
import re
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, TypeVar
from unittest import SkipTest

from attrs import Factory, asdict, frozen

from tests import processes

T = TypeVar("T")

#: The exit code of an attack that cannot be made on this machine, and of one that was interrupted.
SKIPPED, INTERRUPTED = 77, 130


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

    The exit code is 0 if what is promised holds, 1 if it does not, 2 for wrong usage, 77 if the attack cannot be made
    on this machine, 130 if it was interrupted; its processes and its folder are gone then, too.

    :param attack: called with a seeded random generator, a folder, and the scales by name, which its docstring
        describes; it raises :exc:`unittest.SkipTest` if this machine lacks what it needs.
    :param scales: the numbers that the command line can change, with their defaults.
    """
    parser = argparse.ArgumentParser(description=(doc or "").strip(), formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seed", type=int, default=1, help="the seed of the random generator (default: 1)")
    parser.add_argument("--json", type=argparse.FileType("w"), help="a file to which the outcomes are written too")
    described = _described(attack)
    for name, default in scales.items():
        text = f"{described.get(name, '')} (default: {default})".strip()
        parser.add_argument(f"--{name.replace('_', '-')}", type=_at_least(min(default, 1)), default=default, help=text)
    given: dict[str, Any] = vars(parser.parse_args())
    seed, file = given.pop("seed"), given.pop("json")
    outcomes = interruptible(lambda: _made(attack, seed, given))
    for outcome in outcomes:
        print(outcome.text(), flush=True)
    if not outcomes:
        parser.error("nothing was tried")
    if file is not None:
        with file:
            json.dump([asdict(outcome) for outcome in outcomes], file, indent=1)
    sys.exit(0 if all(outcome.holds for outcome in outcomes) else 1)


def interruptible(work: Callable[[], T], said: str = "interrupted") -> T:
    """
    Do the work; on SIGINT or SIGTERM end it as an error does, and the process with one line and exit code 130.

    :param said: the line.
    """

    def stop(number: int, frame: Any) -> None:
        for each in (signal.SIGINT, signal.SIGTERM):  # what ends in peace is not interrupted again
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        return work()
    except KeyboardInterrupt:
        print(said, file=sys.stderr)
        sys.exit(INTERRUPTED)
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _made(attack: Callable[..., Outcome | list[Outcome]], seed: int, given: dict[str, Any]) -> list[Outcome]:
    with tempfile.TemporaryDirectory(prefix="patches-chaos-") as folder:
        try:
            found = attack(Random(seed), Path(folder), **given)
        except SkipTest as reason:
            print(f"skipped: {reason}")
            sys.exit(SKIPPED)
        finally:
            processes.kill_all()
    return found if isinstance(found, list) else [found]


def _described(attack: Callable[..., Any]) -> dict[str, str]:
    """Return what the docstring of an attack says of its parameters."""
    found = re.findall(r":param (\w+): (.+?)(?=\n:|\Z)", inspect.getdoc(attack) or "", re.DOTALL)
    return {name: " ".join(text.split()).rstrip(".") for name, text in found}


def _at_least(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if (value := int(text)) < least:
            raise argparse.ArgumentTypeError(f"must be {least} or more")
        return value

    return number
