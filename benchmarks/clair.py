"""
The cost of keeping a list of Clair up to date: a full pass, a check without changes, and a pass over a few changes.

python -m benchmarks.clair [--vulnerabilities 10000] [--changes 20] [--rate N]

A double of Clair 2 and its reader share one process, with HTTP over loopback between them: seconds are upper bounds.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from attrs import define
from twisted.internet.defer import Deferred
from twisted.internet.task import react
from twisted.internet.threads import deferToThread
from twisted.web.server import Site

from patches.interfaces import ISource
from patches.server.refresh.importer import Importer
from patches.server.refresh.staging import Lists
from patches.sources.clair.source import clair_source
from patches.testing import ClairDouble

NAMESPACE, PLATFORM = "debian:9", "debian-9"


def made_up(count: int, version: str) -> Iterator[dict[str, Any]]:
    """Yield vulnerabilities of the usual length."""
    for number in range(count):
        fixes = [{"Name": f"package-{number * 7919 % 3000}-{more}", "Version": version} for more in range(3)]
        yield {
            "Name": f"CVE-2024-{number:05d}",
            "Description": "made up " * 30,
            "Link": f"https://security-tracker.debian.org/tracker/CVE-2024-{number:05d}",
            "Severity": "Medium",
            "FixedIn": fixes,
        }


@define
class Reader:
    """Reads a source as the server does, and prints the cost."""

    double: ClairDouble
    source: ISource
    lists: Lists

    async def refresh(self) -> None:
        """Request the offers, and read the list if it changed."""
        (offer,) = await self.source.offers()
        known = await deferToThread(self.lists.known, self.source.name, offer.key)
        if known is None or offer.state is None or offer.state != known[0].state:
            await Importer(self.lists, deferToThread, None).read(self.source, offer, time.time())

    async def measure(self, what: str, work: Callable[[], Awaitable[Any]]) -> float:
        """Await the work and print a line. Return the seconds."""
        self.double.requests.clear()
        written = self.lists._database.total_changes
        started = time.perf_counter()
        await work()
        seconds = time.perf_counter() - started
        written = self.lists._database.total_changes - written
        print(f"| {what} | {self.double.requests.total()} | {written} | {seconds:.3f} |", flush=True)
        return seconds


async def run(reactor: Any, options: argparse.Namespace, folder: Path) -> None:
    """Measure, and print a table."""
    double = ClairDouble(reactor)
    double.load(NAMESPACE, made_up(options.vulnerabilities, "1.0-1"))
    port = reactor.listenTCP(0, Site(double.resource(), timeout=None), interface="127.0.0.1")
    source = clair_source(reactor, f"http://127.0.0.1:{port.getHost().port}", options.rate)
    reader = Reader(double, source, Lists(folder / "lists.sqlite"))
    print("| refresh | requests | rows written | s |\n|---|---|---|---|")
    whole = await reader.measure(f"whole, {options.vulnerabilities} vulnerabilities", reader.refresh)
    unchanged = await reader.measure("nothing changed", reader.refresh)
    for record in made_up(options.changes, "2.0-1"):
        double.change(NAMESPACE, record)
    changed = await reader.measure(f"{options.changes} changed", reader.refresh)
    assert reader.lists.facts(PLATFORM)["clair"]["read"] == options.vulnerabilities
    print(f"\nthe whole takes {whole / unchanged:,.0f} times as long as nothing, {whole / changed:,.0f} as the changes")
    await port.stopListening()


def main(reactor: Any) -> Deferred[None]:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vulnerabilities", type=int, default=10_000)
    parser.add_argument("--changes", type=int, default=20)
    parser.add_argument("--rate", type=float, help="requests a second at most")
    options = parser.parse_args()
    folder = tempfile.TemporaryDirectory(prefix="patches-clair-")
    return Deferred.fromCoroutine(run(reactor, options, Path(folder.name))).addBoth(_clean, folder)


def _clean(result: Any, folder: tempfile.TemporaryDirectory[str]) -> Any:
    folder.cleanup()
    return result


if __name__ == "__main__":
    react(main)
