"""
The time to know: from the publication of a list to the last report of a fleet, and what the fleet's questions cost.

.venv/bin/python -m benchmarks.time_to_know [--hosts 1000] [--check-frequency 300] [--asking 10000] [--records 40000]

A real server and a real reporter; the hosts are simulated in one process: each watches its list as the daemon does, on
connections of its own, takes the delta when it has changed, verifies it, and posts a report. What it leaves out is the
comparison, which a fleet makes on as many machines. Then the questions of a larger fleet are asked at their pace, each
on a new connection, as none lives for minutes; the server's CPU time is measured: over HTTP, and over TLS.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import DeferredList, ensureDeferred
from twisted.internet.task import deferLater

from benchmarks.processes import (
    TWISTD,
    ask,
    cpu_seconds,
    free_port,
    patches_server,
    process,
    wait_until_ready,
    write_list,
)
from patches.http.validators import weak_tag
from patches.scanner.client.client import PatchesClient
from patches.scanner.client.http_client import HttpClient, http_client
from patches.scanner.list_watch import ComparedList, ListWatch
from patches.scanner.outcome import ListInfo, Outcome, Verdict
from patches.scanner.reporting.report import report_document
from patches.service.daemon import allow_open_files
from patches.wire import MAX_CHUNK_BYTES, StreamDigest, digest, encode_json
from tests.chaos.certificates import trusting, write_certificate

PLATFORM = "debian-12"
PATH = f"/v1/platforms/{PLATFORM}"


class Host:
    """A simulated host: it watches its list, takes deltas, and reports."""

    def __init__(self, name: str, server: str, reporter: str, frequency: float, revision: str) -> None:
        self.reported: float | None = None
        self.took_delta = False
        self._name = name
        self._server = HttpClient(http_client(reactor), server, reactor, MAX_CHUNK_BYTES)
        self._reporter = HttpClient(http_client(reactor), reporter, reactor, MAX_CHUNK_BYTES)
        asking = PatchesClient(http_client(reactor), server, reactor)
        self.watch = ListWatch(asking.has_changed, timedelta(seconds=frequency), reactor, self._changed)
        self.watch.compared = ComparedList(PLATFORM, revision)

    def _changed(self) -> None:
        compared, self.watch.compared = self.watch.compared, None
        assert compared is not None
        self.scan = ensureDeferred(self._scan(compared.revision))

    async def _scan(self, since: str) -> None:
        started = time.time()
        opened = await self._server.ask("POST", "/v1/sessions", encode_json({"platform": PLATFORM, "since": since}))
        session: dict[str, Any] = json.loads(opened.body)
        self.took_delta = "delta" in session
        read, chunk = StreamDigest(), 0
        while True:
            answer = await self._server.ask(
                "GET", f"/v1/sessions/{session['session']}/chunks/{chunk}", wait=20, fields={"Accept-Encoding": "gzip"}
            )
            if answer.header("Content-Type") == "application/json":
                break
            read.add(digest(answer.body))
            chunk += 1
        end = json.loads(answer.body)
        assert (end["finished"], end["chunks"]) == (True, chunk), end
        told = ListInfo(end["vulnerabilities"], end["revision"], end["digest"])
        outcome = Outcome(self._name, PLATFORM, started, time.time(), Verdict.CLEAN, list_info=told)
        accepted = await self._reporter.ask("POST", "", encode_json(report_document(outcome, 1)))
        assert accepted.status in (200, 201, 202), accepted
        self.reported = time.monotonic()
        self.watch.compared = ComparedList(PLATFORM, end["revision"])


def change(path: Path) -> None:
    """Change one record in a thousand."""
    lines = path.read_bytes().splitlines(keepends=True)
    for number in range(0, len(lines), 1000):
        lines[number] = lines[number].replace(b"https://", b"https://new.", 1)
    new = path.with_suffix(".new")
    new.write_bytes(b"".join(lines))
    new.replace(path)


async def measure(arguments: argparse.Namespace, folder: Path, port: int, reporter: int, pid: int) -> None:
    """Run the fleet, publish, and print the times."""
    revision = str(ask(port, "GET", PATH)[1]["revision"])
    url, reports = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{reporter}/v1/reports"
    frequency = arguments.check_frequency
    hosts = [Host(f"host-{number}", url, reports, frequency, revision) for number in range(arguments.hosts)]
    for host in hosts:
        host.watch.startService()
    await deferLater(reactor, frequency)
    before = cpu_seconds(pid)
    change(folder / "list.ndjson")
    changed = time.monotonic()
    asking = HttpClient(http_client(reactor), url, reactor, MAX_CHUNK_BYTES)
    while (await asking.ask("GET", PATH, fields={"If-None-Match": weak_tag(revision)})).status == 304:
        await deferLater(reactor, 0.05)
    published = time.monotonic()
    while any(host.reported is None for host in hosts) and time.monotonic() < published + 3 * frequency:
        await deferLater(reactor, 0.1)
    times = sorted(host.reported - published for host in hosts if host.reported is not None)
    print(
        f"{arguments.hosts} hosts, --check-frequency {frequency:g}s: the list was published {published - changed:.1f} s"
    )
    deltas = sum(host.took_delta for host in hosts)
    print(f"after the source had changed; {deltas} hosts took the delta, the others came before it was there;")
    print(f"{len(times)} reports, after (s): ", end="")
    parts = ((0.5, "median"), (0.9, "p90"), (0.99, "p99"))
    print(", ".join(f"{name} {times[int(part * len(times))]:.1f}" for part, name in parts), f", last {times[-1]:.1f}")
    print(f"CPU time of the server meanwhile: {cpu_seconds(pid) - before:.2f} s", flush=True)
    await DeferredList([host.watch.stopService() for host in hosts])


def ask_at_pace(port: int, revision: str, rate: float, seconds: float, over_tls: bool) -> int:
    """Ask whether the list has changed, each time on a new connection, at random times. Return how often."""
    context, number, end = (trusting() if over_tls else None), 0, time.monotonic() + seconds
    due = time.monotonic()
    while (due := due + random.expovariate(rate)) < end:
        time.sleep(max(0.0, due - time.monotonic()))
        if context is not None:
            connection: http.client.HTTPConnection = http.client.HTTPSConnection("127.0.0.1", port, context=context)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("GET", PATH, headers={"If-None-Match": weak_tag(revision), "Accept-Encoding": "gzip"})
        assert connection.getresponse().status == 304
        connection.close()
        number += 1
    return number


def questions(arguments: argparse.Namespace, folder: Path, over_tls: bool) -> None:
    """Measure what the questions of a fleet cost a server that does nothing else, and print it."""
    port = free_port()
    command = patches_server(folder / "asked", port, folder / "list.ndjson")
    if over_tls:
        command[command.index("--listen") + 1] = f"ssl:{port}:interface=127.0.0.1{write_certificate(folder)}"
    with process(command, port) as pid:
        revision = _revision(port, over_tls)
        rate, seconds = arguments.asking / arguments.check_frequency, arguments.seconds
        time.sleep(10)  # what it does after its start is done
        idle = cpu_seconds(pid)
        time.sleep(seconds / 2)
        idle = (cpu_seconds(pid) - idle) * 2
        before = cpu_seconds(pid)
        number = ask_at_pace(port, revision, rate, seconds, over_tls)
        used = cpu_seconds(pid) - before
    how = "TLS" if over_tls else "HTTP"
    part, each = used / seconds, (used - idle) / number * 1e6
    print(f"{arguments.asking} hosts over {how}: {number} questions in {seconds:g} s: {part:.2%} of a core,")
    print(f"of which {idle / seconds:.2%} without questions; {each:.0f} us a question", flush=True)


def _revision(port: int, over_tls: bool) -> str:
    while True:
        if over_tls:
            connection: http.client.HTTPConnection = http.client.HTTPSConnection("127.0.0.1", port, context=trusting())
        else:
            connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("GET", PATH)
        answer = connection.getresponse()
        document = json.loads(answer.read())
        if answer.status == 200:
            return str(document["revision"])
        time.sleep(0.2)


def fleet(arguments: argparse.Namespace, folder: Path) -> None:
    """Run a server, a reporter and the simulated hosts, and print the times."""
    port, reporter = free_port(), free_port()
    (folder / "server").mkdir()
    (folder / "reporter").mkdir()
    command = patches_server(folder / "server", port, folder / "list.ndjson", "--refresh-interval", "1s")
    reporting = [TWISTD, "--nodaemon", "--pidfile=", f"--logfile={folder / 'reporter.log'}", "patches-reporter"]
    reporting += ["--listen", f"tcp:{reporter}:interface=127.0.0.1", "--state-dir", str(folder / "reporter")]
    with ExitStack() as stack:
        pid = stack.enter_context(process(command, port))
        stack.enter_context(process(reporting, reporter))
        wait_until_ready(port)
        running = ensureDeferred(measure(arguments, folder, port, reporter, pid))
        problem: list[Any] = []
        running.addErrback(problem.append)
        running.addBoth(lambda _: reactor.stop())
        reactor.run()
        if problem:
            problem[0].printTraceback(file=sys.stderr)
            sys.exit(1)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=1000)
    parser.add_argument("--check-frequency", type=float, default=300.0, help="seconds")
    parser.add_argument("--asking", type=int, default=10_000, help="hosts that only ask; 0: this part is left out")
    parser.add_argument("--seconds", type=float, default=60.0, help="the time for which they ask")
    parser.add_argument("--records", type=int, default=40_000)
    arguments = parser.parse_args()
    allow_open_files(8 * arguments.hosts + 1000)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "asked").mkdir()
        write_list(folder / "list.ndjson", arguments.records)
        if arguments.asking:
            for over_tls in (False, True):
                questions(arguments, folder, over_tls)
        if arguments.hosts:
            fleet(arguments, folder)


if __name__ == "__main__":
    main()
