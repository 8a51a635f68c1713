"""
The rate at which a list of Clair is read, beside a bare treq loop over the same details; and what following it costs.

.venv/bin/python -m benchmarks.clair [--vulnerabilities 5000] [--runs 5] [--file NAMESPACE.jsonl.gz] [--url URL]

The double of Clair has one core, the reader the other, with HTTP over loopback between them. The two readers take
turns, in processes of their own: one reads as the server does, into the staging store; the other requests the same
details with treq, four at a time, and parses their JSON. ``--url`` reads the namespace ``debian:9`` of a real Clair.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from treq import json_content
from treq.client import HTTPClient
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import react
from twisted.internet.threads import deferToThread
from twisted.web.client import Agent, HTTPConnectionPool

from patches.server.refresh.importer import Importer
from patches.server.refresh.staging import StagingStore
from patches.sources.clair.source import ClairSettings, ClairSource
from patches.sources.fetch.clients import pooled_client
from patches.sources.fetch.retry import FetchSettings

NAMESPACE, PLATFORM, PARALLEL = "debian:9", "debian-9", 4


def made_up(count: int) -> Iterator[dict[str, Any]]:
    """Yield vulnerabilities of the usual length."""
    for number in range(count):
        fixes = [{"Name": f"package-{number * 7919 % 3000}-{more}", "Version": "1.0-1"} for more in range(3)]
        yield {
            "Name": f"CVE-2024-{number:05d}",
            "Description": "made up " * 30,
            "Link": f"https://security-tracker.debian.org/tracker/CVE-2024-{number:05d}",
            "Severity": "Medium",
            "FixedIn": fixes,
        }


async def read(reactor: Any, url: str) -> int:
    """Read the list as the server does. Return the number of vulnerabilities."""
    client = pooled_client(reactor, PARALLEL, 60)
    settings = ClairSettings(fetch=FetchSettings(parallel=PARALLEL), quiet_seconds=0.0)
    with tempfile.TemporaryDirectory() as folder:
        source = ClairSource(client, url, reactor, settings, folder=Path(folder))
        store = StagingStore(Path(folder, "lists.sqlite"))
        offer = next(offer for offer in await source.offers() if offer.key == PLATFORM)
        await Importer(store, deferToThread, None).read(source, offer, time.time())
        count = int(store.facts(PLATFORM)["clair"]["read"])
        store.close()
    return count


async def loop(reactor: Any, url: str) -> int:
    """Request the same details with treq, and parse them. Return their number."""
    pool = HTTPConnectionPool(reactor)
    pool.maxPersistentPerHost = PARALLEL
    client = HTTPClient(Agent(reactor, pool=pool))
    base = f"{url}/v1/namespaces/{quote(NAMESPACE, safe='')}/vulnerabilities"
    names, token = [], ""
    while True:
        page = await json_content(await client.get(f"{base}?limit=500{token}"))
        names += [each["Name"] for each in page["Vulnerabilities"] or ()]
        if "NextPage" not in page:
            break
        token = f"&page={quote(page['NextPage'])}"
    left = iter(names)

    async def work() -> None:
        for name in left:
            await json_content(
                await client.get(f"{base}/{quote(name, safe='')}?fixedIn", headers={"Accept-Encoding": "identity"})
            )

    await gatherResults([Deferred.fromCoroutine(work()) for _ in range(PARALLEL)])
    return len(names)


def child(kind: str, url: str) -> None:
    """Run one of the readers, and print its rate."""

    async def run(reactor: Any) -> None:
        began, cpu = time.perf_counter(), time.process_time()
        count = await {"read": read, "loop": loop}[kind](reactor, url)
        seconds = time.perf_counter() - began
        print(json.dumps({"rate": count / seconds, "cpu": (time.process_time() - cpu) / count * 1e6, "count": count}))

    react(lambda reactor: Deferred.fromCoroutine(run(reactor)))


def measure(kind: str, url: str) -> dict[str, float]:
    """Run one of the readers in a process of its own, on the second core."""
    command = [sys.executable, "-m", "benchmarks.clair", "--child", kind, "--url", url]
    found = subprocess.run(command, stdout=subprocess.PIPE, check=True, preexec_fn=lambda: os.sched_setaffinity(0, {1}))
    return dict(json.loads(found.stdout))


def compare(url: str, runs: int) -> None:
    """Run the readers in turns, and print the rates."""
    print("run   details/s  CPU us   bare loop/s  CPU us   ratio")
    ratios = []
    for number in range(1, runs + 1):
        ours, bare = measure("read", url), measure("loop", url)
        ratios.append(ours["rate"] / bare["rate"])
        print(
            f"{number:3} {ours['rate']:11.0f} {ours['cpu']:7.0f} "
            f"{bare['rate']:13.0f} {bare['cpu']:7.0f} {ratios[-1]:7.2f}",
            flush=True,
        )
    print(f"{ours['count']:.0f} vulnerabilities; the median of the ratios is {statistics.median(ratios):.2f}")


def main() -> None:
    """Parse the command line, run a double if there is no Clair, and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vulnerabilities", type=int, default=5_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--file", help="the vulnerabilities, as JSON lines in gzip")
    parser.add_argument("--url", help="a Clair that runs")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child, options.url)
    elif options.url:
        compare(options.url, options.runs)
    else:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(options.file or Path(folder, "made-up.jsonl.gz"))
            if not options.file:
                with gzip.open(path, "wt") as file:
                    file.writelines(json.dumps(each) + "\n" for each in made_up(options.vulnerabilities))
            command = [sys.executable, "-m", "patches.testing.clair", "--load", f"{NAMESPACE}={path}"]
            with subprocess.Popen(
                command, stdout=subprocess.PIPE, text=True, preexec_fn=lambda: os.sched_setaffinity(0, {0})
            ) as double:
                assert double.stdout is not None
                try:
                    compare(f"http://127.0.0.1:{int(double.stdout.readline())}", options.runs)
                finally:
                    double.terminate()
                    double.communicate()


if __name__ == "__main__":
    main()
