"""One scan: read the packages of a host, compare them with the list of its platform, and reach a verdict."""

from __future__ import annotations

import time
import traceback
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from attrs import evolve, field, frozen
from twisted.internet.defer import CancelledError, Deferred, TimeoutError
from twisted.logger import Logger

from patches.platforms import Platform
from patches.scanner.client.cache import ListCache
from patches.scanner.client.client import PatchesClient
from patches.scanner.client.kept_lists import KeptLists
from patches.scanner.client.verified_stream import StreamError
from patches.scanner.compare import Comparison, Watch, compare
from patches.scanner.host.end_of_life import support_ended
from patches.scanner.host.kernels import Kernels, kernels_of, old_kernel_packages, running_packages
from patches.scanner.host.tracks import tracks_of_host
from patches.scanner.inventory import Inventory, InventoryError, read_inventory
from patches.scanner.matching.coverage import foreign_packages, general_reason, unjudged_packages, unknown_origins
from patches.scanner.matching.findings import Finding
from patches.scanner.matching.ignores import Ignores
from patches.scanner.outcome import Coverage, ListInfo, Outcome, Target, Verdict
from patches.wire import is_whole
from patches.wording import one_line

log = Logger()

#: The longest time of a scan.
SCAN_TIMEOUT = timedelta(minutes=15)
#: By how much the clocks of the server and of this host may differ, in seconds.
MOST_SKEW = 600.0


@frozen
class Policy:
    """
    The user's decisions about old lists and about findings.

    :ivar max_age: the longest time since the list was checked against its sources; ``None`` allows any age.
    :ivar ignores: the decisions about findings that do not count.
    :ivar with_unfixed: whether findings without a fix are shown with the others, and count.
    :ivar with_old_kernels: whether findings of kernels that are older than the running one count.
    """

    max_age: timedelta | None = None
    ignores: Ignores = field(factory=Ignores)
    with_unfixed: bool = False
    with_old_kernels: bool = False


async def scan(
    client: PatchesClient | KeptLists,
    target: Target,
    policy: Policy | None = None,
    watch: Watch = lambda stream: None,
    wall: Callable[[], float] = time.time,
    cache: ListCache | None = None,
    timeout: timedelta = SCAN_TIMEOUT,
) -> Outcome:
    """
    Scan a host. Whatever fails is no exception: it is in the outcome.

    :param watch: called with the stream at each chunk, to show the progress.
    :param wall: returns the time in seconds since the epoch.
    :param cache: the cache of the list between scans; ``None`` if it is not cached.
    :param timeout: the time after which the scan ends as incomplete.
    """
    started = wall()
    try:
        inventory = read_host_inventory(target)
        comparison = await _compare(client, cache, target.platform, inventory, watch, timeout)
        times = started, wall()
        return _outcome(comparison, target, policy or Policy(), times, is_signed=client.trust is not None)
    except CancelledError:
        raise
    except InventoryError as error:
        problem = str(error)
    except MemoryError as error:  # there is no memory for a trace either, before what the scan holds is dropped
        problem = f"the scan failed: {one_line(error)}"
    except Exception as error:
        log.error("The scan failed: {trace}", trace=traceback.format_exc())
        problem = f"the scan failed: {one_line(error)}"
    return evolve(failed_outcome(target.host, target.platform, problem, (started, wall())), system=target.system)


def failed_outcome(host: str, platform: str, problem: str, times: tuple[float, float]) -> Outcome:
    """
    Return the outcome of a scan that could not be made.

    :param times: its start and its end, in seconds since the epoch.
    """
    return Outcome(host, platform, *times, Verdict.ERROR, problem=problem)


async def _compare(
    client: PatchesClient | KeptLists,
    cache: ListCache | None,
    platform: str,
    inventory: Inventory,
    watch: Watch,
    timeout: timedelta,
) -> Comparison:
    seconds = timeout.total_seconds()
    comparing = Deferred.fromCoroutine(compare(client, cache, platform, inventory, watch))
    comparing.addTimeout(seconds, client.clock)
    try:
        return await comparing
    except TimeoutError:
        late = StreamError(f"the scan did not end within {seconds:g} s")
        return Comparison.of(client.stream(platform), inventory).failed(Verdict.INCOMPLETE, late)


def read_host_inventory(target: Target) -> Inventory:
    """
    Read the installed packages of a host, its tracks, and which packages are foreign.

    :raises InventoryError: if the packages cannot be read whole.
    """
    platform, root = target.platform, target.root
    inventory = read_inventory(root, Platform.from_name(platform).version_scheme)
    tracks = target.tracks
    if tracks is None:
        tracks = tracks_of_host(root, inventory.packages, platform, target.system.version)
    foreign = foreign_packages(inventory.packages, platform, target.origins)
    return evolve(inventory, tracks=tracks, platform=platform, foreign=foreign)


def _outcome(
    comparison: Comparison, target: Target, policy: Policy, times: tuple[float, float], is_signed: bool = False
) -> Outcome:
    """
    Return the outcome of a comparison.

    :param times: the start and the end of the scan, in seconds since the epoch.
    :param is_signed: whether the list must be signed; its age is then never judged by the server's clock alone.
    """
    inventory, verdict, problem = comparison.inventory, comparison.verdict, comparison.problem
    kernels, matcher = kernels_of(inventory, target.running), comparison.matcher
    today = datetime.fromtimestamp(times[1], UTC).date()
    found = _found(comparison, kernels, policy.ignores, today)
    list_info = _listed(comparison)
    is_done = verdict is None
    if is_done:
        problem = _too_old(list_info, policy.max_age, times[1], is_signed)
    coverage = _coverage(comparison, target, found)
    outcome = Outcome(
        host=target.host,
        platform=target.platform,
        started=times[0],
        finished=times[1],
        verdict=verdict or Verdict.STALE,
        problem=problem,
        coverage=coverage,
        findings=tuple(finding for finding in found if finding.fixed.has_fix),
        unfixed=tuple(finding for finding in found if not finding.fixed.has_fix),
        not_evaluated=Counter(matcher.not_evaluated),
        unjudged_records=_unjudged_records(comparison, coverage),
        is_truncated=matcher.truncated,
        headers=matcher.headers,
        kernels=kernels,
        end_of_life=support_ended(target.platform, today, inventory.tracks, target.system.support_end),
        list_info=list_info,
        with_unfixed=policy.with_unfixed,
        with_old_kernels=policy.with_old_kernels,
        system=target.system,
    )
    if not is_done or problem is not None:
        return outcome
    return evolve(outcome, verdict=Verdict.FINDINGS if outcome.counted else Verdict.CLEAN)


def _found(comparison: Comparison, kernels: Kernels | None, ignores: Ignores, today: date) -> list[Finding]:
    """Return the findings of a comparison, with the running and old kernels marked, and the user's decisions."""
    inventory = comparison.inventory
    running, old = running_packages(inventory, kernels), old_kernel_packages(inventory, kernels)
    found = comparison.findings.all(running, old, comparison.matcher.counts)
    return [_decided(finding, ignores, today) for finding in found]


def _listed(comparison: Comparison) -> ListInfo:
    stream = comparison.stream
    told = stream.snapshot
    digest = stream.digest if comparison.verdict is None else None
    unread, skew = told.get("unread"), stream.skew
    revision, created, checked = (_text(told.get(name)) for name in ("revision", "created", "checked"))
    return ListInfo(
        stream.served,
        revision,
        digest,
        created,
        checked,
        comparison.away,
        unread if is_whole(unread) else 0,
        round(skew, 1) if skew is not None and abs(skew) > MOST_SKEW else None,
        _enrichments(told.get("enrichments")),
    )


def _enrichments(value: object) -> tuple[str, ...]:
    """Return the facts that a list was made with, as far as they are known here."""
    return tuple(name for name in ("cvss", "epss", "kev") if isinstance(value, list) and name in value)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _coverage(comparison: Comparison, target: Target, found: list[Finding]) -> Coverage:
    inventory = comparison.inventory
    packages = inventory.packages
    affected = {finding.package for finding in found}
    unjudged = unjudged_packages(inventory, comparison.matcher, affected)
    return Coverage(
        len(packages),
        tuple(package for package in packages if package in affected),
        unjudged.not_evaluated,
        unjudged.not_covered,
        packages,
        inventory.scheme,
        unknown_origins(packages, target.platform, target.origins, inventory.foreign),
        inventory.tracks,
    )


def _unjudged_records(comparison: Comparison, coverage: Coverage) -> dict[str, str]:
    """Return the names of the records that name an unjudged package, with the reason; never the package."""
    found: dict[str, str] = {}
    for package, reason in coverage.not_covered.items():
        why = f"not covered: {general_reason(reason)}"
        found.update(dict.fromkeys(comparison.matcher.records_of(package), why))
    for package, reasons in coverage.not_evaluated.items():
        why = f"not evaluated: {reasons[0].partition(':')[0]}"
        found.update(dict.fromkeys(comparison.matcher.records_of(package), why))
    return found


def _decided(finding: Finding, ignores: Ignores, today: date) -> Finding:
    ignored = ignores.of(finding, today)
    return finding if ignored is None else evolve(finding, ignored=ignored)


def _too_old(list_info: ListInfo, max_age: timedelta | None, now: float, is_signed: bool) -> str | None:
    """
    Return why a list is stale; ``None`` if it is not.

    Where the clocks differ, the age is by the server's, whose time nobody has signed: the age of a list that must be
    signed is the greater one, or else whoever replays an old list could make it look new.
    """
    told = list_info.checked or list_info.created
    try:
        age = timedelta(seconds=now) - (datetime.fromisoformat(told or "") - datetime.fromtimestamp(0, UTC))
    except (ValueError, TypeError, OverflowError):
        unknown = "the age of the list is not known: the server sent no valid time of its last check"
        return unknown if max_age is not None else None
    by_server = age + timedelta(seconds=list_info.skew or 0.0)
    if by_server < timedelta(seconds=-MOST_SKEW):
        return f"the list was last checked in the future, at {told}: a clock is wrong"
    age = max(age, by_server) if is_signed else by_server
    return f"the list was last checked {_ago(age)} ago, at {told}" if max_age is not None and age > max_age else None


def _ago(age: timedelta) -> str:
    hours = age.total_seconds() / 3600
    return f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.1f} hours"
