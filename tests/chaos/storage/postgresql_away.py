"""
A PostgreSQL that is away while scanners come, and is back later: it is stopped, or frozen, which refuses nobody.

The promise: ``/ready`` says so within seconds, with the problem in words; scans of lists in memory go on and are whole;
what cannot be served is refused with a time to come back, at once, and never as an empty list; and everything is back
by itself, with one line in the log each way. It needs the programs of PostgreSQL.
"""

from __future__ import annotations

import http.client
import json
import time
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from random import Random

from attrs import define, field

from tests.chaos.attack import Outcome, program
from tests.chaos.delivery.killer import Repeated
from tests.integration.daemons import Daemon, wait_for
from tests.integration.readers import Reader, read_all
from tests.integration.sample_lists import write_list
from tests.postgresql import PostgreSQL, programs

PLATFORM = "debian-12"
#: How soon ``/ready`` must say that the database is away, or is back; how long an answer, and the end, may take; in
#: seconds.
TOLD_SECONDS, BACK_SECONDS, ANSWER_SECONDS, STOP_SECONDS = 3.0, 6.0, 3.0, 2.0
_AWAY, _BACK = "The catalogue cannot be used", "The catalogue can be used again"


@define
class Figures:
    """
    The figures that were seen while the database was away, each time.

    :ivar told: the seconds until ``/ready`` said so; *back*: until it said the opposite.
    :ivar slowest: the seconds of the slowest answer of any kind.
    :ivar stopped: the seconds from SIGTERM to the end of the server, while the database is frozen.
    """

    told: list[float] = field(factory=list)
    back: list[float] = field(factory=list)
    scans: int = 0
    refused: int = 0
    slowest: float = 0.0
    wrong: list[str] = field(factory=list)
    stopped: float = 0.0

    def outcomes(self, log: str) -> list[Outcome]:
        """Return the outcomes."""
        times = len(self.told)
        if "Traceback" in log:
            self.wrong.append("a traceback: " + log.partition("Traceback")[2][:600])
        tried = "PostgreSQL stopped, and frozen"
        lines = log.count(_AWAY), log.count(_BACK)
        told, back = max(self.told, default=0.0), max(self.back, default=0.0)
        return [
            Outcome(
                f"/ready tells within {TOLD_SECONDS:g} s that the database is away",
                tried,
                f"{told:.1f} s",
                0 < told <= TOLD_SECONDS,
                times=times,
            ),
            Outcome(
                "scans of lists in memory go on, and others are refused in words at once",
                tried,
                f"{self.scans:,} scans whole, {self.refused:,} refused, slowest answer {self.slowest:.1f} s",
                not self.wrong and self.scans > 0 and self.refused > 0 and self.slowest <= ANSWER_SECONDS,
                tuple(self.wrong[:10]),
                times,
            ),
            Outcome(
                f"everything is back within {BACK_SECONDS:g} s, by itself",
                tried,
                f"{back:.1f} s",
                0 < back <= BACK_SECONDS,
                times=times,
            ),
            Outcome(
                "one line in the log each way",
                tried,
                f"{lines[0]} and {lines[1]} lines",
                lines in ((times, times), (times + 1, times)),  # it ends while it is away
                times=times,
            ),
            Outcome(
                f"SIGTERM ends a server within {STOP_SECONDS:g} s",
                "PostgreSQL frozen",
                f"{self.stopped:.1f} s",
                0 < self.stopped <= STOP_SECONDS,
            ),
        ]


class _Requests:
    """Requests of all kinds while the database is away; each answer is timed, and judged."""

    def __init__(self, server: Daemon, figures: Figures) -> None:
        self._server = server
        self._figures = figures

    def scan(self) -> None:
        """Scan the list that is in memory; it must be whole."""
        began = time.monotonic()
        try:
            reader = Reader(self._server.port, PLATFORM)
            try:
                read_all([reader], 30)
            finally:
                reader.socket.close()
            self._figures.scans += 1
        except (AssertionError, OSError) as error:
            self._figures.wrong.append(f"a scan of a list in memory: {error!r}")
        self._note(began)

    def look_up(self) -> None:
        """Ask what only the database knows: it must be refused, with a time to come back."""
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=30)
        try:
            connection.request("GET", "/v1/vulnerabilities/CVE-2026-1")
            answer = connection.getresponse()
            code = json.loads(answer.read())["error"]["code"]
        except (OSError, HTTPException, ValueError) as error:
            self._figures.wrong.append(f"no answer: {error!r}")
        else:
            if (answer.status, code) == (503, "catalogue") and answer.headers["Retry-After"]:
                self._figures.refused += 1
            elif self._server.ask("/ready")[0] == 503:
                self._figures.wrong.append(f"{answer.status} {code}")
        finally:
            connection.close()
        self._note(began)

    def _note(self, began: float) -> None:
        self._figures.slowest = max(self._figures.slowest, time.monotonic() - began)


def _tells(server: Daemon, status: int) -> float:
    """Return the seconds until ``/ready`` has a status."""
    began = time.monotonic()
    with suppress(AssertionError):
        wait_for(lambda: server.ask("/ready")[0] == status, 60)
    return time.monotonic() - began


def _once(server: Daemon, cluster: PostgreSQL, rng: Random, figures: Figures, freezes: bool) -> None:
    """Take the database away, and bring it back."""
    requests = _Requests(server, figures)
    (cluster.freeze if freezes else cluster.stop)()
    with Repeated(requests.scan), Repeated(requests.scan), Repeated(requests.look_up):
        figures.told.append(_tells(server, 503))
        problem = server.ask("/ready")[1]["problem"] or ""
        if "catalogue" not in problem or server.metric("patches_catalogue_available") != 0:
            figures.wrong.append(f"/ready: {problem}")
        time.sleep(rng.uniform(1.0, 4.0) + (8.0 if freezes else 0.0))  # a frozen one is cut after a time
    (cluster.thaw if freezes else cluster.start)()
    figures.back.append(_tells(server, 200))
    status = server.ask("/v1/vulnerabilities/absent")[0]
    if status != 404 or server.metric("patches_catalogue_available") != 1:
        figures.wrong.append(f"back, and a look-up is answered with {status}")


def attack(rng: Random, folder: Path, times: int) -> list[Outcome]:
    """
    Take the database of a server away again and again, while scanners come.

    :param times: how often it is stopped, and how often it is frozen.
    """
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    cluster = PostgreSQL(programs())
    figures = Figures()
    try:
        url = cluster.create().render_as_string(hide_password=False)
        feed = write_list(folder / "list.ndjson", 3000)
        server = Daemon("patches-server", folder / "server", "--database", url, "--list", str(feed)).start()
        try:
            server.wait_until_ready()
            wait_for(lambda: server.metric("patches_lists_in_memory") == 1, 30)
            for freezes in (False, True) * times:
                _once(server, cluster, rng, figures, freezes)
            cluster.freeze()
            _tells(server, 503)
            began = time.monotonic()
            server.stop()
            figures.stopped = time.monotonic() - began
        finally:
            server.stop()
        return figures.outcomes(server.text())
    finally:
        cluster.remove()


if __name__ == "__main__":
    program(__doc__, attack, times=5)
