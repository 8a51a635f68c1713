"""Explanations why a host is or is not affected by a vulnerability: every record of it, and the rules that applied."""

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
    One comparison of a range with an installed package.

    :ivar record: the record that contains the range.
    :ivar fixed: the range.
    :ivar package: the installed package; ``None`` if no package of that name is installed.
    :ivar version: the package's version that was compared; ``None`` without a package.
    :ivar rule: the rule that applied; ``None`` without a package.
    """

    record: Vulnerability
    fixed: FixedPackage
    package: Package | None = None
    version: str | None = None
    rule: Rule | None = None


@frozen
class Explanation:
    """
    Everything that a list says about a vulnerability id, for one host.

    :ivar vulnerability_id: the id, as it was requested.
    :ivar package: the only package, or source package, to explain; ``None`` for all packages.
    :ivar records: the records of the list with that id.
    :ivar steps: the comparisons, in the order of the records.
    :ivar installed: whether *package* is installed.
    :ivar snapshot: the server's description of the list.
    """

    vulnerability_id: str
    package: str | None
    records: tuple[Vulnerability, ...]
    steps: tuple[Step, ...]
    installed: bool
    snapshot: dict[str, Any] = field(factory=dict)

    @property
    def affected(self) -> bool | None:
        """Whether the host is affected; ``None`` if a comparison was not possible and no other comparison matched."""
        rules = [step.rule.affects for step in self.steps if step.rule is not None]
        return True if True in rules else None if None in rules else False

    @property
    def conclusion(self) -> str:
        """The conclusion as a text of one line."""
        if not self.records:
            return f"not affected: this list has no record of {self.vulnerability_id}"
        if self.package is not None and not self.installed:
            return f"not affected: no package {self.package} is installed"
        if not any(step.package for step in self.steps):
            which = self.package or "any installed package"
            return f"not affected: the records of {self.vulnerability_id} do not name {which}"
        return {True: "affected", False: "not affected", None: "not evaluated"}[self.affected]


async def explain(
    stream: VerifiedStream, inventory: Inventory, vulnerability_id: str, package: str | None = None
) -> Explanation:
    """
    Read a whole list and return an explanation of what it says about a vulnerability.

    :param vulnerability_id: a CVE, or any other name of a record.
    :param package: the name of a package or source package to explain; ``None`` for all packages.
    :raises StreamError: if the list cannot be read whole and verified.
    """
    records = [record async for record in _records(stream, vulnerability_id)]
    matcher = Matcher(inventory)
    steps = [step for record in records for step in _steps(matcher, record) if _is_asked(step, package)]
    installed = any(package in (each.name, each.source) for each in inventory.packages)
    return Explanation(vulnerability_id, package, tuple(records), tuple(steps), installed, stream.snapshot)


async def _records(stream: VerifiedStream, vulnerability_id: str) -> AsyncIterator[Vulnerability]:
    """Yield the records of a vulnerability id. Only lines that contain the id as bytes are decoded, which is faster."""
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
