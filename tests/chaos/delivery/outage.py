"""
Scanners whose server cannot be reached for 1 to 72 hours, on a clock that the test moves.

The promise: the next complete scan ends at most 15 minutes after the outage, whatever its kind; at once if it was the
scanner's own network that was away and came back. And a fleet does not come back all at once: its scans spread over the
quarter of an hour.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from attrs import define
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionRefusedError, DNSLookupError, NoRouteError
from twisted.internet.error import TimeoutError as ConnectTimeout
from twisted.internet.task import Clock

from patches.scanner.client.client import ClientSettings, PatchesClient
from patches.scanner.outcome import Target
from patches.scanner.scan import Policy, scan
from patches.scanner.schedule import ScanSchedule
from patches.vulnerability import FixedPackage, Vulnerability
from patches.wire import encode_line, rfc3339
from tests.chaos.attack import Outcome, program
from tests.integration.sample_host import write_host
from tests.scanner.scripted_client import Canned, chunk, document, end, session

PLATFORM = "debian-12"
LIST = encode_line(Vulnerability("CVE-2026-0001", PLATFORM, (FixedPackage("package-0", "2:0-0"),)))
HOUR = 3600.0
#: The longest time from the end of an outage to the end of the next complete scan.
LONGEST = 15 * 60.0
#: So long a scan may take beside that: its connections are tried for that long before it fails.
SCAN_SECONDS = 60.0


@define(eq=False)
class Network:
    """
    A treq client on a network that is away for some time.

    :ivar gone: when it goes, and when it comes back, in seconds.
    :ivar failure: how a request fails meanwhile, and after how many seconds; ``None``: it is never answered.
    """

    clock: Clock
    gone: tuple[float, float]
    failure: Callable[[], Exception] | None
    after: float

    def request(self, method: str, url: str, **options: Any) -> Deferred[Any]:
        """Answer a request, or do not."""
        if not self.gone[0] <= self.clock.seconds() < self.gone[1]:
            return succeed(self._answer(method, url))
        waiting: Deferred[Any] = Deferred()
        if self.failure is not None:
            call = self.clock.callLater(self.after, lambda: waiting.called or waiting.errback(self.failure()))  # type: ignore[misc]
            waiting.addBoth(lambda result: (call.active() and call.cancel(), result)[1])
        return waiting

    def _answer(self, method: str, url: str) -> Canned:
        if method == "POST":
            return session(snapshot={"revision": "r1", "checked": rfc3339(self.clock.seconds()), "vulnerabilities": 1})
        if method == "DELETE":
            return document(204, None)
        return chunk(LIST) if url.endswith("/0") else end(LIST)


#: The kinds of outages: what a request says meanwhile, and after which time; ``None``: nothing, ever.
KINDS: dict[str, tuple[Callable[[], Exception] | None, float]] = {
    "refused": (ConnectionRefusedError, 0.0),
    "no route": (NoRouteError, 3.0),
    "no name": (lambda: DNSLookupError("server"), 5.0),
    "connections time out": (ConnectTimeout, 10.0),
    "silence": (None, 0.0),
}


def once(rng: Random, root: Path, kind: str, comes_back: bool) -> float:
    """
    Scan through one outage. Return the seconds from its end to the end of the next complete scan.

    :param comes_back: whether the scanner's own network was away: the kernel says when it is there again.
    """
    clock, begins = Clock(), rng.uniform(0, 24) * HOUR
    ends = begins + rng.uniform(1, 72) * HOUR
    network = Network(clock, (begins, ends), *KINDS[kind])
    client = PatchesClient(network, "http://server", clock, ClientSettings(), rng.random, wall=clock.seconds)
    done: list[float] = []
    failed: list[float] = []

    async def one() -> bool:
        target = Target("host", PLATFORM, root)
        outcome = await scan(client, target, Policy(timedelta(days=7)), wall=clock.seconds)
        (done if outcome.complete else failed).append(clock.seconds())
        return outcome.complete

    schedule = ScanSchedule(one, timedelta(hours=12), timedelta(minutes=10), clock, rng.random)
    schedule.startService()
    if comes_back:
        clock.callLater(ends + 1.0, schedule.hurry)
    while not (done and done[-1] >= ends):
        due = min(call.getTime() for call in clock.getDelayedCalls())
        clock.advance(max(0.0, due - clock.seconds()))
        if clock.seconds() > ends + 20 * HOUR:
            return float("inf")
    schedule.stopService()
    return done[-1] - ends if failed else 0.0  # a host whose next scan was due long after the outage has missed nothing


def attack(rng: Random, folder: Path, seeds: int) -> list[Outcome]:
    """Scan through so many outages of each kind."""
    root = write_host(folder / "host", "debian", "12", {"package-0": "1:0-0"})
    outcomes, of_its_own = [], " of its own network"
    for comes_back, most in ((False, LONGEST), (True, 5.0)):
        late: dict[str, list[float]] = {kind: [] for kind in KINDS}
        for number in range(seeds):
            kind = list(KINDS)[number % len(KINDS)]
            late[kind].append(once(Random(rng.random()), root, kind, comes_back))
        worst = max(max(found) for found in late.values())
        allowed = most + SCAN_SECONDS
        missed = sorted(seconds for found in late.values() for seconds in found if seconds > 0)
        middle = missed[len(missed) // 2] if missed else 0.0
        outcomes.append(
            Outcome(
                f"scanner: the next scan is complete {most:.0f} s after an outage{of_its_own if comes_back else ''}",
                f"outages of 1 to 72 h of {len(KINDS)} kinds, a scan every 12 h, a clock that is moved",
                f"{worst:.0f} s, with the time of that scan; the median of those that missed one: {middle:.0f} s",
                worst <= allowed,
                tuple(f"{kind}: {max(found):.0f} s" for kind, found in late.items()),
                times=seeds,
            )
        )
    return outcomes


if __name__ == "__main__":
    program(__doc__, attack, seeds=200)
