"""
The time of day of real daemons is set by -1 h, +1 h, -1 year and +1 year, while all of them are at work.

Nothing changes but stamps: a queued session, an active one and one that waits by a long poll stay; a silent session
expires on time; the source is read, the host scanned and the reports sent at the same pace; ``Date`` and the stamps
follow. It needs libfaketime (the package faketime of Debian). The first window has no step, for comparison.
"""

from __future__ import annotations

import http.client
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from random import Random
from typing import Any

from attrs import field, frozen

from tests import processes
from tests.chaos.attack import Outcome, program
from tests.chaos.lifecycle.wall_clock import WallClock
from tests.integration.daemons import SCANNER, Daemon, wait_for
from tests.integration.sample_host import write_host
from tests.integration.sample_lists import write_list

_YEAR = 365 * 86_400
STEPS = {"-1 h": -3600, "+1 h": 3600, "-1 year": -_YEAR, "+1 year": _YEAR}
#: The platforms of the scanner, of the three sessions that are watched, and of the silent one.
SCANNED, WATCHED, SILENT = "debian-12", "alpine-3.20", "rocky-9"
#: How often the lists are read and the host is scanned, in seconds.
REFRESH = 1
#: On a busy machine all takes this many times as long at most, or these seconds longer; a step is an hour at least.
_SLOWEST, _LATEST = 5, 8
#: A long poll is answered this much before its end, at the earliest; in seconds.
_EARLY = 0.3


class Fleet:
    """
    A server, a reporter and a scanner whose time of day is set.

    :param timeout: when a silent session expires, in seconds.
    :ivar read: how often the lists were found to have been checked again.
    """

    def __init__(self, folder: Path, timeout: int) -> None:
        self.timeout = timeout
        self.clock = WallClock(folder)
        lists = b"".join(write_list(folder / each, 50, each).read_bytes() for each in (SCANNED, WATCHED, SILENT))
        (folder / "lists").write_bytes(lists)
        limits = ("--max-active", "1", "--session-timeout", f"{timeout}s", "--queue-timeout", f"{timeout}s")
        often = ("--refresh-interval", f"{REFRESH}s", "--chunk-timeout", "1h")
        self.server = Daemon("patches-server", folder / "server", "--list", str(folder / "lists"), *limits, *often)
        self.reporter = Daemon("patches-reporter", folder / "reporter")
        for daemon in (self.server, self.reporter):
            daemon.environment = self.clock.environment
        self._folder = folder
        self.scanner_log = folder / "scanner.log"
        self.read = 0
        self._ends = threading.Event()
        self._watching = threading.Thread(target=self._watch, daemon=True)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the daemons until the block ends."""
        try:
            self.server.start()
            self.reporter.start()
            self.server.wait_until_ready()
            self._watching.start()
            with self.scanner_log.open("wb") as log, processes.running(self._scanner(), **self._output(log)):
                yield
        finally:
            self._ends.set()
            for daemon in (self.server, self.reporter):
                if daemon.process is not None:
                    daemon.stop()

    def _scanner(self) -> list[str]:
        host = write_host(self._folder / "host", "debian", "12", {"package-1": "1.0-1"})
        state, server, reporter = self._folder / "scanner", self.server.port, self.reporter.port
        command = [*SCANNER, "--root", str(host)]
        command += ["--state-dir", str(state), "--patches-server", f"http://127.0.0.1:{server}", "--host", "one"]
        return [
            *command,
            "--reporter",
            f"http://127.0.0.1:{reporter}/v1/reports",
            "--scan-frequency=1s",
        ]

    def _output(self, log: Any) -> dict[str, Any]:
        return {"stdout": log, "stderr": log, "env": self.clock.environment}

    def _watch(self) -> None:
        last = None
        while not self._ends.wait(0.1):
            checked = self.checked()
            self.read += last not in (None, checked)
            last = checked

    def checked(self) -> str:
        """Return when the scanner's list was last checked."""
        platforms = self.server.ask("/v1/platforms")[1]["platforms"]
        return next((str(each.get("checked", "")) for each in platforms if each["platform"] == SCANNED), "")

    def counts(self) -> dict[str, int]:
        """Return how often each thing has happened until now."""
        events = {name: self.server.metric(f'patches_session_events_total{{event="{name}"}}') for name in ("expired",)}
        scans = self.scanner_log.read_text()
        return {
            "refreshes": self.read,
            "scans": len(re.findall(r"50 vulnerabilities, 1 packages", scans)),
            "not complete": len(re.findall(r"\[\S+#error\]", scans)),
            "stale": scans.count("stale"),
            "reports": self.reporter.text().count("Stored report"),
            **{name: int(count) for name, count in events.items()},
        }

    def dates(self) -> dict[str, float]:
        """Return by how much ``Date`` of each daemon, and its latest stamp, differ from the time of day; in seconds."""
        found = {}
        for name, daemon in (("server", self.server), ("reporter", self.reporter)):
            connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=10)
            connection.request("GET", "/health")
            date = parsedate_to_datetime(connection.getresponse().headers["Date"]).timestamp()
            connection.close()
            found[f"{name}: Date"] = date - self.clock.now()
        (host,) = self.reporter.ask("/v1/hosts")[1]["hosts"]
        stamps = {"server: checked": self.checked(), "reporter: received": host["lastScan"]["received"]}
        stamps["scanner: finished"] = host["lastScan"]["finished"]
        now = self.clock.now()
        return found | {name: datetime.fromisoformat(stamp).timestamp() - now for name, stamp in stamps.items()}


class Session:
    """A session, opened when the object is created."""

    def __init__(self, server: Daemon, platform: str) -> None:
        self._server = server
        status, said = server.ask("/v1/sessions", "POST", {"platform": platform})
        assert status == 201, said
        self.path = f"/v1/sessions/{said['session']}"
        self.state = said["state"]

    def look(self, wait: float = 0) -> tuple[int, str, float]:
        """Ask for the session. Return the status, its state, and the seconds that the response took."""
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=60)
        began = time.monotonic()
        connection.request("GET", self.path, headers={"Prefer": f"wait={wait:g}"} if wait else {})
        answer = connection.getresponse()
        said = json.loads(answer.read())
        connection.close()
        return answer.status, said.get("state") or said["error"]["code"], time.monotonic() - began


class Sessions:
    """
    One active session, one queued one that asks again and again, and one that waits by long polls.

    :ivar problems: what should not have happened.
    :ivar polls: the seconds that the long polls took.
    """

    def __init__(self, server: Daemon, timeout: int) -> None:
        self._longest = 0.6 * timeout  # what the server allows, if that is less than it is asked for
        self.active, self.queued, self.polling = (Session(server, WATCHED) for _ in range(3))
        assert (self.active.state, self.queued.state, self.polling.state) == ("active", "queued", "queued")
        self.problems: list[str] = []
        self.polls: list[float] = []
        self._ends = threading.Event()
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._ask, self._poll)]

    def _ask(self) -> None:
        while not self._ends.wait(0.3):
            for session, wanted in ((self.active, "active"), (self.queued, "queued")):
                status, state, _ = session.look()
                if (status, state) != (200, wanted):
                    self.problems.append(f"the {wanted} session is {state}")
                    return

    def _poll(self) -> None:
        while not self._ends.is_set():
            status, state, took = self.polling.look(wait=25)
            self.polls.append(took)
            if state != "queued" or not self._longest - _EARLY <= took <= self._longest + _LATEST:
                self.problems.append(f"the waiting session is {state} ({status}) after {took:.2f} s")
            if state != "queued":
                return

    def __enter__(self) -> Sessions:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        for thread in self._threads:
            thread.join(30)


@frozen
class Window:
    """
    The events in the seconds after a step.

    :ivar step: its name.
    :ivar seconds: how long it was watched.
    :ivar counts: how often each thing has happened.
    :ivar timeout: after how many seconds a silent session expires.
    :ivar silent: after how many seconds the silent session had expired.
    :ivar dates: by how much each stamp differs from the time of day, in seconds.
    :ivar polls: the seconds that long polls took.
    :ivar problems: of the watched sessions.
    """

    step: str
    seconds: float
    counts: dict[str, int]
    timeout: int
    silent: float
    dates: dict[str, float]
    polls: tuple[float, ...]
    problems: tuple[str, ...] = field(converter=tuple)

    def wrong(self) -> list[str]:
        """Return what has changed that should not have."""
        found = [*self.problems]
        for name in ("scans", "refreshes", "reports"):
            if not self.seconds / _SLOWEST <= self.counts[name] <= self.seconds + 3:
                found.append(f"{self.counts[name]} {name} in {self.seconds:.0f} s")
        if self.counts["stale"] > 2 or self.counts["not complete"]:  # one that had its list before the step may be
            found.append(f"{self.counts['stale']} scans are stale, {self.counts['not complete']} not complete")
        if self.counts["expired"] != 1:
            found.append(f"{self.counts['expired']} sessions expired, not the silent one alone")
        if not self.timeout - 0.1 <= self.silent <= self.timeout + _LATEST:
            found.append(f"the silent session expired after {self.silent:.1f} s")
        found += [f"{name} is {off:+.0f} s off" for name, off in self.dates.items() if abs(off) > 60]
        return [f"{self.step}: {each}" for each in found]

    def rows(self) -> Iterator[str]:
        """Yield one line for each daemon."""
        counts, dates = self.counts, {name: f"{off:+.1f} s" for name, off in self.dates.items()}
        yield (
            f"{self.step:>8} | server   | {counts['refreshes']} refreshes, {counts['expired']} expired (the silent "
            f"session, after {self.silent:.1f} s), long polls of {', '.join(f'{each:.1f}' for each in self.polls)} s, "
            f"Date {dates['server: Date']}, checked {dates['server: checked']}"
        )
        yield (
            f"{self.step:>8} | scanner  | {counts['scans']} scans, {counts['not complete']} not complete, "
            f"{counts['stale']} stale, finished {dates['scanner: finished']}"
        )
        yield (
            f"{self.step:>8} | reporter | {counts['reports']} reports, Date {dates['reporter: Date']}, "
            f"received {dates['reporter: received']}"
        )


def _window(fleet: Fleet, sessions: Sessions, step: str, seconds: float) -> Window:
    """Step the clock, watch for so many seconds, and return what happened."""
    began, silent = time.monotonic(), Session(fleet.server, SILENT)
    before, polls, problems = fleet.counts(), len(sessions.polls), len(sessions.problems)
    fleet.clock.set(fleet.clock.ahead + STEPS.get(step, 0))
    expired = before["expired"]
    wait_for(lambda: fleet.counts()["expired"] > expired, fleet.timeout + 20)
    took = time.monotonic() - began
    assert silent.look()[0] == 410
    time.sleep(max(0.0, began + seconds - time.monotonic()))
    counts = {name: count - before[name] for name, count in fleet.counts().items()}
    return Window(
        step,
        time.monotonic() - began,
        counts,
        fleet.timeout,
        took,
        fleet.dates(),
        tuple(sessions.polls[polls:]),
        sessions.problems[problems:],
    )


def attack(random: Random, folder: Path, seconds: int, timeout: int, steps: int = len(STEPS)) -> Outcome:
    """
    Step the clock of a fleet, in a random order.

    :param seconds: how long to watch after each step; longer than a silent session needs to expire.
    :param timeout: when a silent session expires, in seconds.
    :param steps: the number of steps.
    """
    order = random.sample(sorted(STEPS), steps)
    fleet = Fleet(folder, timeout)
    assert fleet.clock.is_fake(), "libfaketime does not fake the time of day, or fakes the monotonic clock"
    with fleet.running():
        wait_for(lambda: fleet.counts()["reports"] > 1, 60)
        with Sessions(fleet.server, timeout) as sessions:
            before, *windows = [_window(fleet, sessions, step, seconds) for step in ("none", *order)]
        logs = {each.log.stem: each.text() for each in (fleet.server, fleet.reporter)}
        logs["patches-scanner"] = fleet.scanner_log.read_text()
    wrong = [each for window in (before, *windows) for each in window.wrong()]
    wrong += [f"{name}: {log[log.index('Traceback') :][:1000]}" for name, log in logs.items() if "Traceback" in log]
    return Outcome(
        "all daemons: nothing changes but stamps",
        f"the time of day set by {', '.join(order)}, {seconds} s each",
        f"{len(wrong)} changes",
        not wrong,
        (*wrong, *(row for window in (before, *windows) for row in window.rows())),
    )


if __name__ == "__main__":
    program(__doc__, attack, seconds=20, timeout=12, steps=len(STEPS))
