"""One scan: read the packages of a host, compare them with the list of its platform, and reach a verdict."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from attrs import evolve, field, frozen

from patches.platforms import Platform
from patches.scanner.client.cache import ListCache
from patches.scanner.client.client import PatchesClient
from patches.scanner.compare import Comparison, Watch, compare
from patches.scanner.host.end_of_life import support_ended
from patches.scanner.host.kernels import kernels_of, running_packages
from patches.scanner.host.subscriptions import tracks_of_host
from patches.scanner.inventory import Inventory, InventoryError, read_inventory
from patches.scanner.matching.coverage import is_covered
from patches.scanner.matching.findings import Finding
from patches.scanner.matching.ignores import Ignores
from patches.scanner.outcome import Coverage, ListInfo, Outcome, Target, Verdict


@frozen
class Policy:
    """
    The user's decisions about old lists and about findings.

    :ivar max_age: the longest time since the list was checked against its sources; ``None`` allows any age.
    :ivar ignores: the decisions about findings that do not count.
    :ivar with_unfixed: whether findings without a fix are shown with the others, and count.
    """

    max_age: timedelta | None = None
    ignores: Ignores = field(factory=Ignores)
    with_unfixed: bool = False


async def scan(
    client: PatchesClient,
    target: Target,
    policy: Policy | None = None,
    watch: Watch = lambda stream: None,
    wall: Callable[[], float] = time.time,
    cache: ListCache | None = None,
) -> Outcome:
    """
    Scan a host. A failure of the server, the list or the host's files is no exception: it is in the outcome.

    :param watch: called with the stream at each chunk, to show the progress.
    :param wall: returns the time in seconds since the epoch.
    :param cache: the cache of the list between scans; ``None`` if it is not cached.
    """
    started = wall()
    try:
        inventory = read_host_inventory(target)
    except InventoryError as error:
        return Outcome(target.host, target.platform, started, wall(), Verdict.ERROR, problem=str(error))
    comparison = await compare(client, cache, target.platform, inventory, watch)
    return _outcome(comparison, target, policy or Policy(), (started, wall()))


def read_host_inventory(target: Target) -> Inventory:
    """
    Read the installed packages and the enabled tracks of a host.

    :raises InventoryError: if the packages cannot be read whole.
    """
    inventory = read_inventory(target.root, Platform.from_name(target.platform).version_scheme)
    tracks = tracks_of_host(target.root, inventory.packages) if target.tracks is None else target.tracks
    return evolve(inventory, tracks=tracks)


def _outcome(comparison: Comparison, target: Target, policy: Policy, times: tuple[float, float]) -> Outcome:
    """
    Return the outcome of a comparison.

    :param times: the start and the end of the scan, in seconds since the epoch.
    """
    inventory, verdict, problem = comparison.inventory, comparison.verdict, comparison.problem
    kernels = kernels_of(inventory, target.running)
    found = comparison.findings.all(running_packages(inventory, kernels))
    today = datetime.fromtimestamp(times[1], UTC).date()
    found = [_decided(finding, policy.ignores, today) for finding in found]
    findings = tuple(finding for finding in found if finding.fixed.has_fix)
    unfixed = tuple(finding for finding in found if not finding.fixed.has_fix)
    list_info = _listed(comparison)
    if verdict is None:
        problem = _too_old(list_info, policy.max_age, times[1])
        shown = found if policy.with_unfixed else findings
        counts = any(finding.ignored is None for finding in shown)
        verdict = Verdict.STALE if problem else Verdict.FINDINGS if counts else Verdict.CLEAN
    return Outcome(
        host=target.host,
        platform=target.platform,
        started=times[0],
        finished=times[1],
        verdict=verdict,
        problem=problem,
        coverage=_coverage(comparison, target.platform, found),
        findings=findings,
        unfixed=unfixed,
        not_evaluated=Counter(comparison.matcher.not_evaluated),
        kernels=kernels,
        end_of_life=support_ended(target.platform, today, inventory.tracks, target.support_end),
        list_info=list_info,
        with_unfixed=policy.with_unfixed,
    )


def _listed(comparison: Comparison) -> ListInfo:
    stream = comparison.stream
    told = stream.snapshot
    digest = stream.digest if comparison.verdict is None else None
    return ListInfo(
        stream.served, told.get("revision"), digest, told.get("created"), told.get("checked"), comparison.away
    )


def _coverage(comparison: Comparison, platform: str, found: list[Finding]) -> Coverage:
    packages = comparison.inventory.packages
    affected = {finding.package for finding in found}
    unjudged = comparison.matcher.unjudged.items()
    not_evaluated = {package: tuple(sorted(why)) for package, why in unjudged if package not in affected}
    rest = (package for package in packages if package not in affected and package not in not_evaluated)
    elsewhere = tuple(package for package in rest if not is_covered(package, platform))
    ordered = tuple(package for package in packages if package in affected)
    return Coverage(len(packages), ordered, not_evaluated, elsewhere, packages, comparison.inventory.scheme)


def _decided(finding: Finding, ignores: Ignores, today: date) -> Finding:
    ignored = ignores.of(finding, today)
    return finding if ignored is None else evolve(finding, ignored=ignored)


def _too_old(list_info: ListInfo, max_age: timedelta | None, now: float) -> str | None:
    if max_age is None:
        return None
    told = list_info.checked or list_info.created
    try:
        age = timedelta(seconds=now) - (datetime.fromisoformat(told or "") - datetime.fromtimestamp(0, UTC))
    except (ValueError, TypeError):
        return "the age of the list is not known: the server sent no valid time of its last check"
    return f"the list was last checked {_ago(age)} ago, at {told}" if age > max_age else None


def _ago(age: timedelta) -> str:
    hours = age.total_seconds() / 3600
    return f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.1f} hours"
