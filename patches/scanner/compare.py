"""Comparison of a host's packages with the list of its platform, from the server or from the cache."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, evolve

from patches.scanner.client.cache import CachedList, ListCache
from patches.scanner.client.client import PatchesClient
from patches.scanner.client.kept_lists import KeptLists
from patches.scanner.client.stream import VulnerabilityStream
from patches.scanner.client.trust import NotTrusted, Trust
from patches.scanner.client.verified_stream import (
    NotCovered,
    NotVerified,
    Refused,
    ServerAway,
    SessionLost,
    StreamError,
    Unchanged,
    VerifiedStream,
)
from patches.scanner.inventory import Inventory
from patches.scanner.matching.findings import Findings
from patches.scanner.matching.matcher import Matcher
from patches.scanner.outcome import Verdict

#: How many sessions are tried if the server loses them.
_SESSIONS = 3

#: Called with the stream at each chunk, to show the progress.
Watch = Callable[[VerifiedStream], None]


@define(eq=False)
class Comparison:
    """
    The comparison of one stream with one inventory. Each vulnerability is dropped as soon as it is judged.

    :ivar verdict: the verdict if the comparison failed; ``None`` if it did not fail.
    :ivar problem: the reason of the failure, in one line; ``None`` if it did not fail.
    :ivar away: why the cached list was compared although the server could not confirm it; ``None`` otherwise.
    :ivar is_away: whether it failed because the server could not be reached.
    """

    stream: VerifiedStream
    inventory: Inventory
    matcher: Matcher
    findings: Findings
    verdict: Verdict | None = None
    problem: str | None = None
    away: str | None = None
    is_away: bool = False

    @classmethod
    def of(cls, stream: VerifiedStream, inventory: Inventory) -> Comparison:
        """Create a comparison with its own matcher and findings."""
        return cls(stream, inventory, Matcher(inventory), Findings(inventory.scheme))

    async def run(self, watch: Watch) -> None:
        """
        Compare every vulnerability of the stream.

        :raises StreamError: if the list cannot be read whole and verified.
        """
        told = 0
        async for vulnerability in self.stream.naming(self.matcher.names):
            for match in self.matcher.match(vulnerability):
                self.findings.add(match)
            if self.stream.served != told:
                told = self.stream.served
                watch(self.stream)

    def failed(self, verdict: Verdict, error: StreamError) -> Comparison:
        """Record a failure. Return the comparison itself."""
        self.verdict, self.problem, self.is_away = verdict, str(error), isinstance(error, ServerAway)
        return self


async def compare(
    client: PatchesClient | KeptLists, cache: ListCache | None, platform: str, inventory: Inventory, watch: Watch
) -> Comparison:
    """
    Compare an inventory with the list of a platform; a server or a list that fails is no exception, but a verdict.

    The cached list stands in only for a server that cannot be reached. One that refuses, or whose list cannot be
    verified, is there: the comparison is incomplete. That it does not know a platform is believed only of one whose
    list was never verified, as anybody on the way could say so.

    :param cache: the cached list, which is compared if it has not changed or the server is away; ``None``: no cache.
    """
    cached = _cached(cache, client.trust, platform)
    if isinstance(client, KeptLists):
        return await _without_server(client, cache, platform, inventory, watch)
    if cache is not None:
        cache.origin = cache.asked = client.base_url
    if cache is None or cached is None:
        return await _with_server(client, cache, platform, inventory, watch)
    try:
        comparison = await _with_server(client, cache, platform, inventory, watch, cached)
    except Unchanged as unchanged:
        comparison = await _with_kept(evolve(cached, snapshot=unchanged.snapshot), inventory, watch)
        comparison.stream.skew = unchanged.skew
        if comparison.verdict is None:
            cache.describe(unchanged.snapshot)
            return comparison
        return await _with_server(client, cache, platform, inventory, watch)  # the cached list is damaged
    if comparison.verdict is Verdict.UNSUPPORTED:
        comparison.verdict = Verdict.INCOMPLETE
        comparison.problem = f"{comparison.problem}; but a verified list of this platform is in the cache"
    is_of_this_server = client.trust is not None or cached.asked in (None, client.base_url)  # signed, or as it was kept
    if not comparison.is_away or not is_of_this_server:
        return comparison
    instead = await _with_kept(cached, inventory, watch)
    instead.away = comparison.problem
    return instead if instead.verdict is None else comparison


def _cached(cache: ListCache | None, trust: Trust | None, platform: str) -> CachedList | None:
    """Return the cached list; ``None`` if there is no such list, or its signature is required and not trusted."""
    cached = cache.cached() if cache is not None else None
    try:
        if cached is not None and trust is not None:
            trust.verify(platform, cached.snapshot)
    except NotTrusted:
        return None
    return cached


async def _with_server(
    client: PatchesClient,
    cache: ListCache | None,
    platform: str,
    inventory: Inventory,
    watch: Watch,
    since: CachedList | None = None,
) -> Comparison:
    for _ in range(_SESSIONS):
        keep = cache.keep() if cache is not None else None
        stream = client.stream(platform, since, keep)
        comparison = Comparison.of(stream, inventory)
        try:
            await _run(comparison, stream, watch)
        except SessionLost as error:
            comparison.failed(Verdict.INCOMPLETE, error)
            continue
        except NotVerified as error:
            comparison.failed(Verdict.INCOMPLETE, error)
            if since is not None and stream.delta is not None:
                since = None  # the cached list may be damaged: request the whole list
                continue
        except Unchanged:
            raise
        except Refused as error:
            unknown = error.code == "unknown-platform"
            comparison.failed(Verdict.UNSUPPORTED if unknown else Verdict.INCOMPLETE, error)
        except StreamError as error:
            comparison.failed(Verdict.INCOMPLETE, error)
        finally:
            if keep is not None:
                keep.close()
        break
    return comparison


async def _run(comparison: Comparison, stream: VulnerabilityStream, watch: Watch) -> None:
    """Run a comparison; if it fails or is cancelled, others do not wait for its session until that expires."""
    try:
        await comparison.run(watch)
    except Exception:
        await stream.close()
        raise


async def _without_server(
    client: KeptLists, cache: ListCache | None, platform: str, inventory: Inventory, watch: Watch
) -> Comparison:
    """Compare the kept list; one that is damaged is dropped, so that it is made anew."""
    cached = _cached(cache, client.trust, platform)
    comparison = Comparison.of(client.stream(platform, cached), inventory)
    comparison.away = client.problem
    try:
        await comparison.run(watch)
    except StreamError as error:
        comparison.failed(Verdict.UNSUPPORTED if isinstance(error, NotCovered) else Verdict.INCOMPLETE, error)
        if cache is not None and isinstance(error, NotVerified):
            cache.drop()
    return comparison


async def _with_kept(cached: CachedList, inventory: Inventory, watch: Watch) -> Comparison:
    comparison = Comparison.of(cached.stream(), inventory)
    try:
        await comparison.run(watch)
    except NotVerified as error:
        comparison.failed(Verdict.INCOMPLETE, error)
    return comparison
