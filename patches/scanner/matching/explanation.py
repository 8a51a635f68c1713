"""Why a host is affected by a flaw, or is not: every record that tells of it, and the rule that was applied."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from attrs import field, frozen

from patches.scanner.client.verified_stream import VerifiedStream
from patches.scanner.inventory import Inventory, Package
from patches.scanner.matching.matcher import Matcher
from patches.scanner.matching.rules import Rule
from patches.vulnerability import FixedPackage, Vulnerability
from patches.wire import decode_lines


@frozen
class Step:
    """
    One comparison.

    :ivar record: whose range this is.
    :ivar package: the installed package; ``None`` if none of that name is installed.
    :ivar version: the version of it that was compared.
    :ivar ruling: the rule; ``None`` without a package.
    """

    record: Vulnerability
    fixed: FixedPackage
    package: Package | None = None
    version: str | None = None
    rule: Rule | None = None


@frozen
class Explanation:
    """
    Everything that a list says of a flaw, for one host.

    :ivar flaw: as it was asked for.
    :ivar package: only this package, or source package, was asked about; ``None``: all.
    :ivar records: what the list has of the flaw.
    :ivar steps: the comparisons, in the order of the records.
    :ivar installed: whether the package that was asked about is installed.
    :ivar snapshot: what the server says of the list.
    """

    vulnerability_id: str
    package: str | None
    records: tuple[Vulnerability, ...]
    steps: tuple[Step, ...]
    installed: bool
    snapshot: dict[str, Any] = field(factory=dict)

    @property
    def affected(self) -> bool | None:
        """Whether the host is affected; ``None`` if a comparison could not be made, and no other says yes."""
        rules = [step.rule.affects for step in self.steps if step.rule is not None]
        return True if True in rules else None if None in rules else False

    @property
    def conclusion(self) -> str:
        """The answer in one line."""
        if not self.records:
            return f"not affected: no source of this list has a record of {self.vulnerability_id}"
        if self.package is not None and not self.installed:
            return f"not affected: no package {self.package} is installed"
        if not any(step.package for step in self.steps):
            which = self.package or "what is installed"
            return f"not affected: the records of {self.vulnerability_id} do not name {which}"
        return {True: "affected", False: "not affected", None: "not evaluated"}[self.affected]


async def explain(
    stream: VerifiedStream, inventory: Inventory, vulnerability_id: str, package: str | None = None
) -> Explanation:
    """
    Read a whole list, and explain what it says of a flaw; raises as the stream does.

    :param flaw: a CVE or any other name of a record.
    :param package: the name of a package or of a source package; ``None``: whatever is concerned.
    """
    records = [record async for record in _records(stream, vulnerability_id)]
    matcher = Matcher(inventory)
    steps = [step for record in records for step in _steps(matcher, record) if _is_asked(step, package)]
    installed = any(package in (each.name, each.source) for each in inventory.packages)
    return Explanation(vulnerability_id, package, tuple(records), tuple(steps), installed, stream.snapshot)


async def _records(stream: VerifiedStream, vulnerability_id: str) -> AsyncIterator[Vulnerability]:
    """Decode only the lines in which the name stands at all."""
    name = vulnerability_id.encode()
    async for body in stream.bodies():
        lines = b"\n".join(line for line in body.splitlines() if name in line)
        for record in decode_lines(lines):
            if vulnerability_id in (record.name, *record.aliases):
                yield record


def _steps(matcher: Matcher, record: Vulnerability) -> Iterator[Step]:
    compared = list(matcher.rules(record))
    for fixed in record.fixed_in:
        mine = [
            Step(record, fixed, package, version, rule) for named, package, version, rule in compared if named is fixed
        ]
        yield from mine or [Step(record, fixed)]


def _is_asked(step: Step, package: str | None) -> bool:
    names = (step.fixed.name, *((step.package.name, step.package.source) if step.package else ()))
    return package is None or package in names
