"""
Scans of a host that lives: what it is, is read at each scan, before and after it.

A release upgrade changes the platform under a running daemon, a subscription its tracks, an administrator its name. A
scan that began on one system and ended on another says nothing true about either, so it is made again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from attrs import Factory, define, evolve, frozen
from twisted.internet.defer import CancelledError

from patches.scanner.client.cache import cache_trouble
from patches.scanner.client.client import PatchesClient
from patches.scanner.client.kept_lists import KeptLists
from patches.scanner.compare import Watch
from patches.scanner.host.distributions import UnknownPlatform
from patches.scanner.host.tracks import tracks_of_host
from patches.scanner.options import HostSettings
from patches.scanner.outcome import Outcome, Target, Verdict
from patches.scanner.scan import SCAN_TIMEOUT, Policy, scan
from patches.scanner.scan_inputs import cache_of, host_of, target_of
from patches.service.log.trouble_log import TroubleLog
from patches.wording import one_line

#: How often a scan is made if the host changes meanwhile.
MOST_SCANS = 3


@frozen
class HostFacts:
    """
    The facts that decide which list a host is compared with, and under which name it is reported.

    :ivar target: the host as a target.
    :ivar tracks: the tracks that its files name.
    """

    target: Target
    tracks: frozenset[str]

    @property
    def text(self) -> str:
        """The facts in words."""
        tracks = f" ({', '.join(sorted(self.tracks))})" if self.tracks else ""
        return f"{self.target.host}, {self.target.platform}{tracks}"


@define(eq=False)
class HostScan:
    """
    Scans one host, as it is at the time of each scan.

    :param settings: which host, and what is known of it.
    :param cache: the folder of cached lists; ``None``: lists are not cached.
    :param wall: returns the time in seconds since the epoch.
    """

    _settings: HostSettings
    _cache: Path | None = None
    _wall: Callable[[], float] = time.time
    _platform: str = ""
    _caching: TroubleLog = Factory(cache_trouble)

    def facts(self) -> HostFacts:
        """
        Return what the host is now.

        :raises UnknownPlatform: if the platform cannot be detected.
        """
        target = target_of(self._settings)
        tracks = target.tracks
        if tracks is None:
            tracks = tracks_of_host(target.root, (), target.platform, target.system.version)
        return HostFacts(target, tracks)

    async def run(
        self,
        client: PatchesClient | KeptLists,
        policy: Policy,
        watch: Watch = lambda stream: None,
        timeout: timedelta = SCAN_TIMEOUT,
    ) -> Outcome:
        """Scan the host; again if it was another one at the end. Whatever fails is in the outcome."""
        started = self._wall()
        try:
            for _ in range(MOST_SCANS):
                before = self.facts()
                self._platform = before.target.platform
                cache = cache_of(self._cache, before.target, self._caching)
                outcome = await scan(client, before.target, policy, watch, self._wall, cache, timeout)
                after = self.facts()
                if after == before:
                    return evolve(outcome, cache_problem=self._caching.why)
        except UnknownPlatform as error:
            return self._without_target(Verdict.UNSUPPORTED, str(error), started)
        except CancelledError:
            raise
        except Exception as error:
            return self._without_target(Verdict.ERROR, f"the scan failed: {one_line(error)}", started)
        problem = f"the host changed while it was scanned: it was {before.text}, and is {after.text}"
        return evolve(outcome, verdict=Verdict.INCOMPLETE, problem=problem)

    def _without_target(self, verdict: Verdict, problem: str, started: float) -> Outcome:
        """Return the outcome for a host that cannot be told now; its platform is the last one that was known."""
        host = host_of(self._settings)
        return Outcome(host, self._platform, started, self._wall(), verdict, problem=problem)
