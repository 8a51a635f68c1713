"""One scan: the packages of a host against the list of its platform."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from attrs import evolve, field, frozen

from patches.platforms import Platform
from patches.scanner.channels import channels_of
from patches.scanner.client import PatchesClient, Refused, SessionLost, StreamError, VulnerabilityStream
from patches.scanner.coverage import is_covered
from patches.scanner.end_of_life import ended
from patches.scanner.findings import Finding, Findings
from patches.scanner.ignores import Ignores
from patches.scanner.inventory import Inventory, InventoryError, read_inventory
from patches.scanner.kernels import kernels_of, running_of
from patches.scanner.matcher import Matcher
from patches.scanner.outcome import Judged, Listed, Outcome, Target, Verdict

_SESSIONS = 3


@frozen
class Policy:
    """
    What the user thinks of what may come.

    :ivar max_age: how long ago the list may have been checked against its sources; ``None``: any age will do.
    :ivar ignores: findings that do not count.
    :ivar with_unfixed: whether those without a fix are shown with the rest, and count.
    """

    max_age: timedelta | None = None
    ignores: Ignores = field(factory=Ignores)
    with_unfixed: bool = False


async def scan(
    client: PatchesClient,
    target: Target,
    policy: Policy | None = None,
    watch: Callable[[VulnerabilityStream], None] = lambda stream: None,
    wall: Callable[[], float] = time.time,
) -> Outcome:
    """
    Scan a host; never raises for what the world does: what went wrong is in the outcome.

    :param watch: called with the stream at each chunk, to show how far it is.
    """
    started = wall()
    try:
        inventory = inventory_of(target)
    except InventoryError as error:
        return Outcome(target.host, target.platform, started, wall(), Verdict.ERROR, problem=str(error))
    for _ in range(_SESSIONS):
        matching = _Matching(client.stream(target.platform), inventory, watch)
        verdict, problem = None, None
        try:
            await matching.run()
        except SessionLost as error:
            verdict, problem = Verdict.INCOMPLETE, str(error)
            continue
        except Refused as error:
            unknown = error.code == "unknown-platform"
            verdict, problem = Verdict.UNSUPPORTED if unknown else Verdict.INCOMPLETE, str(error)
        except StreamError as error:
            verdict, problem = Verdict.INCOMPLETE, str(error)
        break
    return matching.outcome(target, policy or Policy(), (started, wall()), verdict, problem)


def inventory_of(target: Target) -> Inventory:
    """
    Read what is installed on a host, and what it is subscribed to.

    :raises InventoryError: if it cannot be read whole.
    """
    inventory = read_inventory(target.root, Platform.from_name(target.platform).version_scheme)
    channels = channels_of(target.root, inventory.packages) if target.channels is None else target.channels
    return evolve(inventory, channels=channels)


class _Matching:
    """One stream, compared with one inventory as it comes; a vulnerability is dropped as soon as it is judged."""

    def __init__(
        self, stream: VulnerabilityStream, inventory: Inventory, watch: Callable[[VulnerabilityStream], None]
    ) -> None:
        self._stream = stream
        self._inventory = inventory
        self._matcher = Matcher(inventory)
        self._watch = watch
        self._findings = Findings(inventory.scheme)

    async def run(self) -> None:
        """Compare everything that comes; raises as the stream does."""
        told = 0
        async for vulnerability in self._stream.naming(self._matcher.names):
            for match in self._matcher.match(vulnerability):
                self._findings.add(match)
            if self._stream.served != told:
                told = self._stream.served
                self._watch(self._stream)

    def outcome(
        self, target: Target, policy: Policy, times: tuple[float, float], verdict: Verdict | None, problem: str | None
    ) -> Outcome:
        """
        Say what came of it.

        :param times: when it began and ended.
        :param verdict: of what went wrong; ``None`` if nothing did.
        """
        kernels = kernels_of(self._inventory, target.running)
        found = self._findings.all(running_of(self._inventory, kernels))
        today = datetime.fromtimestamp(times[1], UTC).date()
        found = [_decided(finding, policy.ignores, today) for finding in found]
        findings = tuple(finding for finding in found if finding.fixed.has_fix)
        listed = self._listed(verdict is None)
        if verdict is None:
            problem = _too_old(listed, policy.max_age, times[1])
            counts = any(finding.ignored is None for finding in (found if policy.with_unfixed else findings))
            verdict = Verdict.STALE if problem else Verdict.FINDINGS if counts else Verdict.CLEAN
        return Outcome(
            host=target.host,
            platform=target.platform,
            started=times[0],
            finished=times[1],
            verdict=verdict,
            problem=problem,
            judged=self._judged(target.platform, found),
            findings=findings,
            unfixed=tuple(finding for finding in found if not finding.fixed.has_fix),
            not_evaluated=Counter(self._matcher.not_evaluated),
            kernels=kernels,
            end_of_life=ended(target.platform, today, self._inventory.channels, target.support_end),
            listed=listed,
            with_unfixed=policy.with_unfixed,
        )

    def _listed(self, complete: bool) -> Listed:
        snapshot = self._stream.snapshot
        digest = self._stream.digest if complete else None
        created, checked = snapshot.get("created"), snapshot.get("checked")
        return Listed(self._stream.served, snapshot.get("revision"), digest, created, checked)

    def _judged(self, platform: str, found: list[Finding]) -> Judged:
        packages = self._inventory.packages
        affected = {finding.package for finding in found}
        unjudged = {each: tuple(sorted(why)) for each, why in self._matcher.unjudged.items() if each not in affected}
        rest = (package for package in packages if package not in affected and package not in unjudged)
        elsewhere = tuple(package for package in rest if not is_covered(package, platform))
        ordered = tuple(package for package in packages if package in affected)
        return Judged(len(packages), ordered, unjudged, elsewhere, packages, self._inventory.scheme)


def _decided(finding: Finding, ignores: Ignores, today: date) -> Finding:
    ignored = ignores.of(finding, today)
    return finding if ignored is None else evolve(finding, ignored=ignored)


def _too_old(listed: Listed, max_age: timedelta | None, now: float) -> str | None:
    if max_age is None:
        return None
    told = listed.checked or listed.created
    try:
        age = timedelta(seconds=now) - (datetime.fromisoformat(told or "") - datetime.fromtimestamp(0, UTC))
    except (ValueError, TypeError):
        return "the server does not tell how old its list is"
    return f"the list was last checked {_ago(age)} ago, at {told}" if age > max_age else None


def _ago(age: timedelta) -> str:
    hours = age.total_seconds() / 3600
    return f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.1f} hours"
