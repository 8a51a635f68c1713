"""Explanations why a host is or is not affected by a vulnerability: every record of it, and the rules that applied."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from attrs import field, frozen

from patches.scanner.client.verified_stream import VerifiedStream
from patches.scanner.inventory import Inventory, Package
from patches.scanner.matching.decision import Judgement
from patches.scanner.matching.matcher import Matcher
from patches.scanner.matching.rules import Rule
from patches.vulnerability import FixedPackage, Vulnerability, canonical_id
from patches.wire import decode_lines, encode_json


@frozen
class Step:
    """
    One comparison of a range with an installed package.

    :ivar record: the record that contains the range.
    :ivar fixed: the range.
    :ivar package: the installed package; ``None`` if no package of that name is installed.
    :ivar version: the package's version that was compared; ``None`` without a package.
    :ivar rule: the rule that applied; ``None`` without a package.
    :ivar track: the track of the fix; ``None``: the main line.
    :ivar reason: why the comparison does not decide whether the package is affected; ``None`` if it does.
    """

    record: Vulnerability
    fixed: FixedPackage
    package: Package | None = None
    version: str | None = None
    rule: Rule | None = None
    track: str | None = None
    reason: str | None = None


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
        """
        Whether the host is affected; ``None`` if the list does not know the id, or if a comparison was not possible and
        no other comparison matched.
        """
        if not self.records:
            return None
        rules = [step.rule.affects for step in self.steps if step.rule is not None and step.reason is None]
        return True if True in rules else None if None in rules else False

    @property
    def conclusion(self) -> str:
        """The conclusion as a text of one line."""
        if not self.records:
            return f"not known to this list: it has no record of {self.vulnerability_id}"
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
    vulnerability_id = canonical_id(vulnerability_id)
    matcher = Matcher(inventory)
    records = [record async for record in _records(stream, vulnerability_id, matcher)]
    steps = [step for record in records for step in _steps(matcher, record) if _is_asked(step, package)]
    installed = any(package in (each.name, each.source) for each in inventory.packages)
    return Explanation(vulnerability_id, package, tuple(records), tuple(steps), installed, stream.snapshot)


async def _records(stream: VerifiedStream, vulnerability_id: str, matcher: Matcher) -> AsyncIterator[Vulnerability]:
    """
    Yield the records of a vulnerability id.

    The matcher compares the whole list, because other records decide whether a package could be judged at all.
    """
    name = encode_json(vulnerability_id)[1:-1]  # as it stands in a line
    async for body in stream.bodies():
        for vulnerability in decode_lines(body, matcher.names):
            for _ in matcher.match(vulnerability):
                pass
        lines = b"\n".join(line for line in body.splitlines() if name in line)
        for record in decode_lines(lines):
            if vulnerability_id in (record.name, *record.aliases):
                yield record


def _steps(matcher: Matcher, record: Vulnerability) -> Iterator[Step]:
    compared = list(matcher.judgements(record))
    below = {each.package for each in compared if each.decides and each.rule.affects}
    for fixed in record.fixed_in:
        mine = [_step(matcher, record, each, each.package in below) for each in compared if each.fixed is fixed]
        yield from mine or [Step(record, fixed)]


def _step(matcher: Matcher, record: Vulnerability, judgement: Judgement, is_superseded: bool) -> Step:
    """
    Return the step of a judgement.

    :param is_superseded: whether the package is below another fix of the record that decides.
    """
    package, rule, reason = judgement.package, judgement.rule, judgement.reason
    unjudged = matcher.reason_unjudged(package)
    if unjudged is not None:
        rule, reason = unjudged, None
    elif rule.affects and not matcher.proven.get(package, set()).isdisjoint(record.vulnerability_ids):
        reason = reason or "another record proves that the installed build has the fix"
    elif not judgement.decides:
        reason = reason or rule.text
    elif rule is Rule.FIXED and is_superseded:
        reason = "another fix of the same package is higher"
    return Step(record, judgement.fixed, package, judgement.version, rule, judgement.track, reason)


def _is_asked(step: Step, package: str | None) -> bool:
    names = (step.fixed.name, *((step.package.name, step.package.source) if step.package else ()))
    return package is None or package in names
