"""
Scans through a link that spoils what passes: cuts, flips, repeats, reorders, stalls, refuses, redirects.

The promise: a scan that says that it is complete has compared the whole list, and found what is to be found; every
other scan says that it is incomplete. None crashes, none takes longer than its time, and the list in the cache is
whole. The scans run in this process, against a real server, with a patience of 2 s; some read whole lists, some deltas,
some lists that must be signed.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredSemaphore, gatherResults

from patches.scanner.client.cache import ListCache
from patches.scanner.client.client import ClientSettings, PatchesClient
from patches.scanner.client.http_client import http_client
from patches.scanner.client.trust import SeenLists, Trust
from patches.scanner.outcome import Outcome as ScanOutcome
from patches.scanner.outcome import Target, Verdict
from patches.scanner.scan import Policy, scan
from patches.service import one_shot
from patches.signing import VerifyKey, create_keys
from tests.chaos.attack import Outcome, program
from tests.chaos.delivery.faulty_link import FAULTS, FaultyLink
from tests.integration.daemons import Daemon, wait_for
from tests.integration.sample_host import write_host
from tests.integration.sample_lists import write_list

PLATFORM = "debian-12"
PATIENCE = timedelta(seconds=2)
#: The time-out of a scan, which ends those whose link stalls; and the longest time that it may take, in seconds.
TIMEOUT, LONGEST = timedelta(seconds=12), 30.0
AT_ONCE = 12
#: The verdicts of scans that do not say that they compared the whole list.
HONEST = (Verdict.INCOMPLETE, Verdict.UNSUPPORTED)


@define(eq=False)
class Fleet:
    """
    A server, a host, and what a scan of it finds with the list of before and of now.

    :ivar expected: the findings of a scan of each list, by revision.
    :ivar wrong: what must not happen, in words.
    """

    server: Daemon
    target: Target
    key: VerifyKey
    folder: Path
    expected: dict[str | None, Counter[tuple[str, str]]] = field(factory=dict)
    verdicts: Counter[str] = field(factory=Counter)
    played: Counter[str] = field(factory=Counter)
    wrong: list[str] = field(factory=list)
    longest: float = 0.0

    async def scan(self, reactor: Any, url: str, cache: Path | None, is_signed: bool) -> ScanOutcome:
        """Scan the host."""
        trust = Trust(self.key, SeenLists(self.folder / "seen")) if is_signed else None
        client = PatchesClient(http_client(reactor), url, reactor, ClientSettings(PATIENCE, PATIENCE), trust=trust)
        kept = ListCache(cache, PLATFORM) if cache is not None else None
        return await scan(client, self.target, Policy(timedelta(days=7)), cache=kept, timeout=TIMEOUT)

    async def learn(self, reactor: Any, cache: Path) -> None:
        """Scan without faults: what is found is right."""
        outcome = await self.scan(reactor, f"http://127.0.0.1:{self.server.port}", cache, False)
        assert outcome.verdict is Verdict.FINDINGS, outcome.problem
        self.expected[outcome.list_info.revision] = found_by(outcome)

    async def run(self, reactor: Any, number: int, seed: str) -> None:
        """Scan through a link with one fault, and judge the outcome."""
        rng = Random(seed)
        fault = list(FAULTS)[number % len(FAULTS)]
        kind = rng.choice(("none", "empty", "before", "now"))
        cache = self._cache(kind, number)
        link = FaultyLink(reactor, self.server.port, rng, fault, rng.choice((0.3, 0.6, 1.0)))
        began = time.monotonic()
        outcome = await self.scan(reactor, await link.listen(), cache, rng.random() < 0.3)
        seconds = time.monotonic() - began
        await link.close()
        self.longest = max(self.longest, seconds)
        self.verdicts[str(outcome.verdict)] += 1
        self.played[fault] += link.played
        problems = [self._judge(outcome), "" if seconds <= LONGEST else f"it took {seconds:.0f} s"]
        if cache is not None:
            problems.append(await self._judge_cache(reactor, cache))
            shutil.rmtree(cache, ignore_errors=True)
        self.wrong += [f"{fault}, cache {kind}, seed {seed}: {problem}" for problem in problems if problem]

    def _cache(self, kind: str, number: int) -> Path | None:
        if kind == "none":
            return None
        path = self.folder / f"cache-{number}"
        if kind == "empty":
            path.mkdir()
        else:
            shutil.copytree(self.folder / kind, path)
        return path

    def _judge(self, outcome: ScanOutcome) -> str:
        """Return what is wrong with an outcome; empty if nothing is."""
        if outcome.complete:
            right = self.expected.get(outcome.list_info.revision)
            return "" if found_by(outcome) == right else f"{outcome.verdict} with findings that are not right"
        return "" if outcome.verdict in HONEST and outcome.problem else f"{outcome.verdict}: {outcome.problem}"

    async def _judge_cache(self, reactor: Any, cache: Path) -> str:
        """Scan with the cache alone: what is in it must be a whole list, or nothing."""
        outcome = await self.scan(reactor, "http://127.0.0.1:9", cache, False)
        is_empty = outcome.verdict is Verdict.INCOMPLETE
        return "" if is_empty else self._judge(outcome) and f"the cache: {self._judge(outcome)}"


def found_by(outcome: ScanOutcome) -> Counter[tuple[str, str]]:
    """Return the findings of a scan, by package and vulnerability."""
    return Counter((finding.package.name, finding.vulnerability_id) for finding in outcome.shown)


def attack(rng: Random, folder: Path, runs: int = 1000, records: int = 16000) -> Outcome:
    """Scan so many times, each time with the next fault."""
    folder.mkdir(exist_ok=True)
    folder = folder.absolute()
    host = write_host(folder / "host", "debian", "12", {f"package-{n}": "1:0-0" for n in range(0, 500, 5)})
    key = create_keys(folder / "signing.pem")
    feed = write_list(folder / "list.ndjson", records)
    options = ("--list", str(feed), "--refresh-interval", "1s", "--signing-key", str(folder / "signing.pem"))
    server = Daemon("patches-server", folder / "server", *options, "--chunk-timeout", "5").start()
    fleet = Fleet(server, Target("host", PLATFORM, host), VerifyKey.from_file(key), folder)

    async def work(reactor: Any) -> int:
        await fleet.learn(reactor, folder / "before")
        write_list(feed, records + 300)
        wait_for(lambda: server.ask("/v1/platforms")[1]["platforms"][0]["vulnerabilities"] == records + 300, 60)
        await fleet.learn(reactor, folder / "now")
        lanes = DeferredSemaphore(AT_ONCE)
        seeds = [f"{rng.random()}" for _ in range(runs)]
        await gatherResults(
            lanes.run(lambda n=n, seed=seed: Deferred.fromCoroutine(fleet.run(reactor, n, seed)))
            for n, seed in enumerate(seeds)
        )
        return 0

    try:
        server.wait_until_ready()
        one_shot.run(work)
        alive = server.ask("/health")[0] == 200 and "Traceback" not in server.text()
    finally:
        server.stop()
    return Outcome(
        "scanner: a scan that says that it is complete is right",
        f"{len(FAULTS)} kinds of faults on the way, {fleet.played.total():,} spoiled responses",
        f"{len(fleet.wrong)} wrong; the longest scan took {fleet.longest:.1f} s",
        not fleet.wrong and alive and fleet.played.total() > 0,
        (f"verdicts: {dict(fleet.verdicts)}", f"spoiled: {dict(fleet.played)}", *fleet.wrong[:10]),
        times=runs,
    )


if __name__ == "__main__":
    program(__doc__, attack, runs=1000, records=16000)
