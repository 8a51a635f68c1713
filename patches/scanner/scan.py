"""One scan: the packages of a host against the list of its platform."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from attrs import field, frozen

from patches.platforms import Platform
from patches.scanner.client import PatchesClient, Refused, SessionLost, StreamError, VulnerabilityStream
from patches.scanner.inventory import Inventory, InventoryError, read_inventory
from patches.scanner.matcher import Finding, Matcher

_SESSIONS = 3


@frozen
class Target:
    """
    What to scan.

    :ivar host: the name under which it is reported.
    :ivar platform: which list it is compared with.
    :ivar root: its root folder; ``/`` for this host.
    """

    host: str
    platform: str
    root: Path


@frozen
class Outcome:
    """
    What came of a scan; times in seconds since the epoch.

    :ivar complete: whether the whole list was compared with the whole inventory. If not, nothing here says that
        anything is fine.
    :ivar problem: why it is not complete, in one line; else ``None``.
    :ivar code: a word for the problem: ``unknown-platform``, ``inventory``, ``incomplete``; empty if there is none.
    :ivar packages: how many packages are installed.
    :ivar findings: what affects them and has a fix.
    :ivar unfixed: how many more findings have no fix yet.
    :ivar not_evaluated: how many comparisons could not be made, by reason.
    :ivar served: how many vulnerabilities came from the server.
    """

    host: str
    platform: str
    started: float
    finished: float
    scan_id: str = field(factory=lambda: uuid.uuid4().hex)
    complete: bool = False
    problem: str | None = None
    code: str = ""
    packages: int = 0
    findings: tuple[Finding, ...] = ()
    unfixed: int = 0
    not_evaluated: Mapping[str, int] = field(factory=dict)
    served: int = 0
    revision: str | None = None
    digest: str | None = None


async def scan(
    client: PatchesClient,
    target: Target,
    watch: Callable[[VulnerabilityStream], None] = lambda stream: None,
    wall: Callable[[], float] = time.time,
) -> Outcome:
    """
    Scan a host; never raises for what the world does: what went wrong is in the outcome.

    :param watch: called with the stream at each chunk, to show how far it is.
    """
    started = wall()
    try:
        inventory = read_inventory(target.root, Platform.from_name(target.platform).version_scheme)
    except InventoryError as error:
        return Outcome(target.host, target.platform, started, wall(), problem=str(error), code="inventory")
    for _ in range(_SESSIONS):
        matching = _Matching(client.stream(target.platform), inventory, watch)
        try:
            await matching.run()
        except SessionLost as error:
            problem, code = str(error), "incomplete"
            continue
        except Refused as error:
            problem, code = str(error), "unknown-platform" if error.code == "unknown-platform" else "incomplete"
        except StreamError as error:
            problem, code = str(error), "incomplete"
        else:
            return matching.outcome(target, started, wall(), None, "")
        break
    return matching.outcome(target, started, wall(), problem, code)


class _Matching:
    """One stream, compared with one inventory as it comes; a vulnerability is dropped as soon as it is judged."""

    def __init__(
        self, stream: VulnerabilityStream, inventory: Inventory, watch: Callable[[VulnerabilityStream], None]
    ) -> None:
        self._stream = stream
        self._packages = len(inventory.packages)
        self._matcher = Matcher(inventory)
        self._watch = watch
        self._findings: list[Finding] = []
        self._unfixed = 0

    async def run(self) -> None:
        """Compare everything that comes; raises as the stream does."""
        told = 0
        async for vulnerability in self._stream.naming(self._matcher.names):
            for finding in self._matcher.match(vulnerability):
                if finding.fixed.version is None:
                    self._unfixed += 1
                else:
                    self._findings.append(finding)
            if self._stream.served != told:
                told = self._stream.served
                self._watch(self._stream)

    def outcome(self, target: Target, started: float, finished: float, problem: str | None, code: str) -> Outcome:
        """Say what came of it."""
        stream = self._stream
        complete = problem is None and stream.complete
        return Outcome(
            host=target.host,
            platform=target.platform,
            started=started,
            finished=finished,
            complete=complete,
            problem=problem,
            code=code,
            packages=self._packages,
            findings=tuple(sorted(self._findings, key=_severest_first)),
            unfixed=self._unfixed,
            not_evaluated=Counter(self._matcher.not_evaluated),
            served=stream.served,
            revision=stream.snapshot.get("revision"),
            digest=stream.digest if complete else None,
        )


def _severest_first(finding: Finding) -> tuple[int, str, str]:
    return (-finding.vulnerability.severity, finding.package.name, finding.vulnerability.name)
