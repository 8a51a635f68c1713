"""The packages of a host compared with the list of its platform, from wherever that can be had."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, evolve

from patches.scanner.client.cache import CachedList, ListCache
from patches.scanner.client.client import PatchesClient
from patches.scanner.client.trust import NotTrusted, Trust
from patches.scanner.client.verified_stream import (
    NotVerified,
    Refused,
    SessionLost,
    StreamError,
    Unchanged,
    VerifiedStream,
)
from patches.scanner.inventory import Inventory
from patches.scanner.matching.findings import Findings
from patches.scanner.matching.matcher import Matcher
from patches.scanner.outcome import Verdict

_SESSIONS = 3

#: Is shown how far a stream is, at each chunk.
Watch = Callable[[VerifiedStream], None]


@define(eq=False)
class Comparison:
    """
    One stream, compared with one inventory as it comes; a vulnerability is dropped as soon as it is judged.

    :ivar verdict: of what went wrong; ``None`` if nothing did.
    :ivar problem: the same in one line.
    :ivar away: why the list that was kept was compared, where the server could not be asked; else ``None``.
    """

    stream: VerifiedStream
    inventory: Inventory
    matcher: Matcher
    findings: Findings
    verdict: Verdict | None = None
    problem: str | None = None
    away: str | None = None

    @classmethod
    def of(cls, stream: VerifiedStream, inventory: Inventory) -> Comparison:
        """Begin one."""
        return cls(stream, inventory, Matcher(inventory), Findings(inventory.scheme))

    async def run(self, watch: Watch) -> None:
        """Compare everything that comes; raises as the stream does."""
        told = 0
        async for vulnerability in self.stream.naming(self.matcher.names):
            for match in self.matcher.match(vulnerability):
                self.findings.add(match)
            if self.stream.served != told:
                told = self.stream.served
                watch(self.stream)

    def failed(self, verdict: Verdict, error: StreamError) -> Comparison:
        """Note what went wrong."""
        self.verdict, self.problem = verdict, str(error)
        return self


async def compare(
    client: PatchesClient, cache: ListCache | None, platform: str, inventory: Inventory, watch: Watch
) -> Comparison:
    """
    Compare an inventory with the list of a platform; never raises for what the world does.

    :param cache: the list that was kept, which is compared if it has not changed or the server is away.
    """
    cached = _cached(cache, client.trust, platform)
    if cache is None or cached is None:
        return await _with_server(client, cache, platform, inventory, watch)
    try:
        comparison = await _with_server(client, cache, platform, inventory, watch, cached)
    except Unchanged as unchanged:
        comparison = await _with_kept(evolve(cached, snapshot=unchanged.snapshot), inventory, watch)
        if comparison.verdict is None:
            cache.describe(unchanged.snapshot)
            return comparison
        return await _with_server(client, cache, platform, inventory, watch)  # what was kept is damaged
    if comparison.verdict is not Verdict.INCOMPLETE:
        return comparison
    instead = await _with_kept(cached, inventory, watch)
    instead.away = comparison.problem
    return instead if instead.verdict is None else comparison


def _cached(cache: ListCache | None, trust: Trust | None, platform: str) -> CachedList | None:
    """Give the list that was kept, if there is one that may be compared."""
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
            await comparison.run(watch)
        except SessionLost as error:
            comparison.failed(Verdict.INCOMPLETE, error)
            continue
        except NotVerified as error:
            comparison.failed(Verdict.INCOMPLETE, error)
            if since is not None and stream.delta is not None:
                since = None  # what was kept may be damaged: the whole list is asked for
                await stream.close()
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


async def _with_kept(cached: CachedList, inventory: Inventory, watch: Watch) -> Comparison:
    comparison = Comparison.of(cached.stream(), inventory)
    try:
        await comparison.run(watch)
    except NotVerified as error:
        comparison.failed(Verdict.INCOMPLETE, error)
    return comparison
