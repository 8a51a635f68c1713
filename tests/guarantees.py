"""
The guarantees: every attack, one after the other, and one table of what was promised, tried and seen.

Each part is a program of its own (``python -m tests.chaos.…``), which is run in a process of its own. What it said is
kept, with the version of the code: a run that was interrupted goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from attrs import Factory, asdict, evolve, frozen

from tests.chaos.attack import SKIPPED, Outcome, interruptible
from tests.chaos.delivery.troubles import UNSHARE
from tests.field.namespaces import OWN_NETWORK, can_run

ROOT = Path(__file__).parent.parent
#: Where what each part said is kept.
KEPT = ROOT / "build/guarantees"
#: How long an interrupted part may take to end what it has started, in seconds.
ENDING_SECONDS = 20.0
_GO_ON = "interrupted; the same command goes on with the parts that have not been run"
#: So many cases of one promise, all of which hold, are one row of the table.
MOST_ROWS = 8
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
#: The table of the documentation.
TABLE = ROOT / "docs/explanation/guarantees.table"


@frozen
class Part:
    """
    One program.

    :ivar module: its name below ``tests``.
    :ivar seconds: the time after which it is ended.
    :ivar scales: its options, where they differ from its defaults.
    :ivar short: its options in the short run; ``None``: it is not in it.
    :ivar prefix: the command before the program, such as one that gives it a file system of its own.
    """

    module: str
    seconds: int
    scales: Mapping[str, int] = Factory(dict)
    short: Mapping[str, int] | None = None
    prefix: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name by which it is called alone."""
        told = "".join(f"-{name}-{value}" for name, value in self.scales.items() if name in ("records", "window_kib"))
        return self.module.rpartition(".")[2].replace("_", "-") + told.replace("_", "-")


PARTS = (
    Part("chaos.delivery.fault_proxy", 1200, short={"runs": 44}),
    Part("chaos.delivery.killer", 1500, short={"kills": 1}),
    Part("chaos.peers.hostile_server", 900),
    Part("chaos.peers.hostile_source", 400),
    Part("chaos.peers.nvd_volume", 1200, short={"mib": 100, "years": 4}),
    Part("chaos.peers.hostile_root", 300, short={"cases": 6}),
    Part("chaos.load.half_requests", 300),
    Part("chaos.load.crowd", 900),
    Part("chaos.load.crowd", 300, {"records": 10_000, "window_kib": 1024, "seconds": 40}),
    Part("chaos.load.crowd", 900, {"records": 1_000_000, "window_kib": 1024, "seconds": 40}),
    Part("chaos.load.connects", 120, short={}),
    Part("chaos.load.pipelining", 120),
    Part("chaos.load.tls_connections", 400),
    Part("chaos.peers.schema_requests", 500, {"seconds": 120}),
    Part("chaos.load.many_findings", 900),
    Part("chaos.load.memory_wall", 600),
    Part("chaos.load.reporter_flood", 600),
    Part("chaos.storage.flipped_bits", 900),
    Part("chaos.storage.failing_storage", 1500, prefix=UNSHARE),
    Part("chaos.storage.postgresql_away", 400),
    Part("chaos.lifecycle.endurance", 900),
    Part("chaos.storage.state_versions", 300),
    Part("chaos.lifecycle.clock_steps", 400),
    Part("chaos.lifecycle.early_signals", 300, short={"starts": 3}),
    Part("chaos.delivery.outage", 300, short={"seeds": 40}),
    Part("field.host_changes", 200, prefix=OWN_NETWORK),
    Part("field.networks", 300, prefix=OWN_NETWORK),
    Part("chaos.lifecycle.sigterm", 600),
    Part("chaos.delivery.fleet_outage", 200),
    Part("field.suite_on_ipv6", 900),
)


@frozen
class Result:
    """
    The result of a part.

    :ivar version: the commit of the code; ``+`` at the end if it was changed.
    :ivar options: the options of the program.
    :ivar seconds: how long it took.
    :ivar outcomes: what it tried and saw.
    :ivar skipped: why it could not be run here; empty if it was.
    :ivar is_whole: whether its program came to its end; if not, it is run again the next time.
    """

    version: str
    options: str
    seconds: float
    outcomes: tuple[Outcome, ...] = ()
    skipped: str = ""
    is_whole: bool = True

    @property
    def holds(self) -> bool:
        """Whether everything holds that was tried."""
        return all(outcome.holds for outcome in self.outcomes)


def version() -> str:
    """Return the commit of this checkout; ``+`` is added if it has changes."""
    asked = ["git", "-C", str(ROOT), "describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=+"]
    ran = subprocess.run(asked, capture_output=True, text=True, check=False)
    return ran.stdout.strip() or "unknown"


def run(part: Part, options: Sequence[str]) -> Result:
    """Run a part. Whatever goes wrong is an outcome that does not hold."""
    if part.prefix and not can_run(part.prefix):
        return Result(version(), " ".join(options), 0.0, skipped=f"{part.prefix[0]} is not possible here")
    path = KEPT / "said.json"
    path.unlink(missing_ok=True)
    command = [*part.prefix, sys.executable, "-m", f"tests.{part.module}", *options, "--json", str(path)]
    began = time.monotonic()
    code, text = _ended(command, part.seconds)
    result = Result(version(), " ".join(options), round(time.monotonic() - began, 1))
    if code == SKIPPED:
        return evolve(result, skipped=text.strip().rpartition("skipped: ")[2])
    if path.exists() and path.stat().st_size:
        return evolve(result, outcomes=_outcomes(json.loads(path.read_text())))
    last = (text.strip().splitlines() or ["nothing"])[-1]
    failed = Outcome(part.name, " ".join(options), f"ended with {code}: {last[:200]}", False, (text[-3000:],))
    return evolve(result, outcomes=(failed,), is_whole=False)


def _ended(command: Sequence[str], seconds: int) -> tuple[int, str]:
    """Run a program, with its children in a group of their own that ends with it. Return its exit code and text."""
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        text, _ = process.communicate(timeout=seconds)
        return process.returncode, text
    except subprocess.TimeoutExpired:
        return -1, f"it did not end within {seconds} s"
    finally:
        _end_group(process)


def _end_group(process: subprocess.Popen[str]) -> None:
    """End a program and its children: in peace, so that its folder is removed; by force where that takes long."""
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=ENDING_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _outcomes(documents: Iterable[Mapping[str, Any]]) -> tuple[Outcome, ...]:
    return tuple(Outcome(**{**document, "more": tuple(document["more"])}) for document in documents)


def kept(path: Path) -> Result | None:
    """Return what a part said before; ``None`` if it was not run, or its record cannot be read."""
    try:
        document = json.loads(path.read_text())
        return Result(**{**document, "outcomes": _outcomes(document["outcomes"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def table(results: Mapping[str, Result]) -> str:
    """Return the table, in reStructuredText."""
    lines = [".. list-table::", "   :header-rows: 1", "   :widths: 30 30 10 22 8", ""]
    header = ("Promise", "What was tried", "How often", "The worst that was seen", "Verdict")
    rows = [header, *_rows(results)]
    for row in rows:
        lines += [f"   {'*' if n == 0 else ' '} - {_escaped(cell)}" for n, cell in enumerate(row)]
    versions = sorted({result.version for result in results.values()})
    return "\n".join([*lines, "", f"Versions of the code: {', '.join(versions)}."]) + "\n"


def _rows(results: Mapping[str, Result]) -> Iterable[tuple[str, ...]]:
    for name, result in results.items():
        if result.skipped:
            yield name, "", "0", result.skipped, "not tried"
        for outcome in _joined(result.outcomes):
            verdict = "holds" if outcome.holds else "**broken**"
            yield outcome.promise, outcome.tried, f"{outcome.times:,}", outcome.worst, verdict


def _joined(outcomes: Sequence[Outcome]) -> Iterable[Outcome]:
    """Join the outcomes of many cases of one promise, ``promise: case``, that hold: the worst stands for all."""
    cases: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        cases.setdefault(outcome.promise.rpartition(": ")[0], []).append(outcome)
    for promise, found in cases.items():
        if len(found) < MOST_ROWS or not all(outcome.holds for outcome in found):
            yield from found
            continue
        worst = max(found, key=lambda outcome: [float(number) for number in _NUMBER.findall(outcome.worst)])
        named = f"{len(found)} cases; the worst: {worst.promise.rpartition(': ')[2]}"
        yield Outcome(promise, named, worst.worst, holds=True, times=sum(outcome.times for outcome in found))


def _escaped(text: str) -> str:
    return text if text == "**broken**" else "".join(f"\\{c}" if c in "\\*`|_" else c for c in text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the parts that are asked for, all by default. Return 0 if every promise holds that was tried."""
    parser = argparse.ArgumentParser(prog="python -m tests.guarantees", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help="the parts to run (default: all); see --list")
    parser.add_argument("--list", action="store_true", help="print the names of the parts, and end")
    parser.add_argument("--short", action="store_true", help="only the parts that end within seconds, on a small scale")
    parser.add_argument("--fresh", action="store_true", help="run parts again that this version has been through")
    parser.add_argument("--older", action="store_true", help="take what parts said of earlier versions of the code")
    parser.add_argument("--seed", type=int, default=1, help="the seed of all parts (default: 1)")
    parser.add_argument("--table", type=Path, help="the file of the table (default: standard output)")
    given = parser.parse_args(arguments)
    parts = {part.name: part for part in PARTS if not given.short or part.short is not None}
    unknown = [name for name in given.parts if name not in parts]
    if unknown:
        is_long = unknown[0] in {part.name for part in PARTS}
        why = "is not in the short run" if is_long else "does not exist"
        parser.error(f"the part {unknown[0]!r} {why}; --list{' --short' * is_long} prints the names of those that are")
    if given.list:
        print("\n".join(parts))
        return 0
    KEPT.mkdir(parents=True, exist_ok=True)
    names = given.parts or parts
    results = interruptible(lambda: {name: _result(parts[name], given) for name in names}, _GO_ON)
    text = table(results)
    if given.table is not None:
        given.table.write_text(text, "utf-8")
    else:
        print(text)
    return 0 if all(result.holds for result in results.values()) else 1


def _result(part: Part, given: argparse.Namespace) -> Result:
    """Return what a part said before of this version with these options, or run it."""
    scales = part.short if given.short and part.short is not None else part.scales
    options = ["--seed", str(given.seed)]
    options += [word for name, value in scales.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    path = KEPT / f"{part.name}{'-short' if given.short else ''}.json"
    before = kept(path)
    is_same = before is not None and before.options == " ".join(options)
    if before is not None and is_same and not given.fresh and (given.older or before.version == version()):
        result, how = before, "before"
    else:
        result, how = run(part, options), "now"
        if result.is_whole:
            path.write_text(json.dumps(asdict(result), indent=1))
    said = (result.skipped and f"not tried: {result.skipped}") or ("holds" if result.holds else "BROKEN")
    print(f"{part.name}: {said} ({result.seconds:.0f} s, {how})", flush=True)
    if not result.holds:
        print("\n".join(outcome.text() for outcome in result.outcomes if not outcome.holds), flush=True)
    return result


if __name__ == "__main__":
    sys.exit(main())
