"""
A fleet whose server is away for a while: hundreds of scanners' schedules in one process, against a real server.

The promise: once the server is there again, every scanner has a complete scan within its longest pause, which here is
ten seconds, as the scanners scan every ten seconds; and they do not come all at once.
"""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from attrs import define, field
from twisted.internet.task import deferLater

from patches.scanner.client.client import ClientSettings, PatchesClient
from patches.scanner.client.http_client import http_client
from patches.scanner.outcome import Target, Verdict
from patches.scanner.scan import Policy, scan
from patches.scanner.schedule import ScanSchedule
from patches.service import one_shot
from tests.chaos.attack import Outcome, program
from tests.chaos.watch import allow_sockets
from tests.integration.daemons import Daemon
from tests.integration.sample_host import write_host
from tests.integration.sample_lists import write_list

PLATFORM = "debian-12"
FREQUENCY = timedelta(seconds=10)
#: Beside its longest pause: the scans of the fleet, on a machine that does all of them itself.
WORK_SECONDS = 20.0


@define(eq=False)
class Fleet:
    """
    Scanners of hosts that are alike.

    :ivar back: when the server was there again; infinite before that.
    :ivar again: the seconds from then to the end of the first complete scan, by scanner.
    :ivar failed: the number of scans that were not complete.
    :ivar wrong: what must not happen, in words.
    """

    reactor: Any
    url: str
    target: Target
    back: float = float("inf")
    complete: set[int] = field(factory=set)
    again: dict[int, float] = field(factory=dict)
    failed: int = 0
    wrong: list[str] = field(factory=list)

    def schedule(self, number: int, rng: Random) -> ScanSchedule:
        """Create the schedule of a scanner."""
        limits = ClientSettings(timedelta(seconds=1), timedelta(seconds=20))
        client = PatchesClient(http_client(self.reactor), self.url, self.reactor, limits, rng.random)

        async def once() -> bool:
            outcome = await scan(client, self.target, Policy())
            if outcome.complete:
                self.complete.add(number)
                if self.back < time.monotonic():
                    self.again.setdefault(number, time.monotonic() - self.back)
                return True
            self.failed += 1
            if outcome.verdict is not Verdict.INCOMPLETE:
                self.wrong.append(f"{outcome.verdict}: {outcome.problem}")
            return False

        splay = timedelta(seconds=rng.uniform(0, 5))
        return ScanSchedule(once, FREQUENCY, timedelta(seconds=1), self.reactor, rng.random, splay=splay)


def attack(rng: Random, folder: Path, scanners: int, seconds: int) -> Outcome:
    """
    Stop a server under its fleet, and start it again.

    :param seconds: how long it is away.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder = folder.absolute()
    allow_sockets(4 * scanners)
    feed = write_list(folder / "list.ndjson", 2000)
    root = write_host(folder / "host", "debian", "12", {f"package-{n}": "99:0-0" for n in range(50)})
    server = Daemon("patches-server", folder / "server", "--list", str(feed)).start()
    fleets: list[Fleet] = []

    async def until(reactor: Any, condition: Any, longest: float) -> None:
        end = time.monotonic() + longest
        while not condition() and time.monotonic() < end:
            await deferLater(reactor, 0.1)

    async def work(reactor: Any) -> int:
        fleet = Fleet(reactor, f"http://127.0.0.1:{server.port}", Target("host", PLATFORM, root))
        fleets.append(fleet)
        schedules = [fleet.schedule(number, Random(rng.random())) for number in range(scanners)]
        for each in schedules:
            each.startService()
        await until(reactor, lambda: len(fleet.complete) == scanners, 120)
        server.kill()
        await deferLater(reactor, seconds)
        server.start(server.port)
        fleet.back = time.monotonic()
        await until(reactor, lambda: len(fleet.again) == scanners, 120)
        for each in schedules:
            await each.stopService()
        return 0

    try:
        server.wait_until_ready()
        one_shot.run(work)
        traced = "Traceback" in server.text()
    finally:
        server.stop()
    (fleet,) = fleets
    times = sorted(fleet.again.values())
    longest = times[-1] if len(times) == scanners else float("inf")
    middle = times[len(times) // 2] if times else float("inf")
    most = FREQUENCY.total_seconds() + WORK_SECONDS
    return Outcome(
        f"scanner: a fleet is back within its longest pause ({FREQUENCY.total_seconds():.0f} s here)",
        f"{scanners} scanners whose server was killed, and away for {seconds} s",
        f"all after {longest:.1f} s, half of them after {middle:.1f} s",
        longest <= most and not fleet.wrong and not traced,
        (f"{fleet.failed} scans were not complete meanwhile", *fleet.wrong[:5]),
        times=scanners,
    )


if __name__ == "__main__":
    program(__doc__, attack, scanners=300, seconds=20)
