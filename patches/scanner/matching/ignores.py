"""Decisions to ignore findings: each has a reason and, unless it is unlimited, the day on which it expires."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import chain

from attrs import field, frozen
from packageurl import PackageURL

from patches.scanner.matching.findings import Finding, Ignored
from patches.scanner.matching.purls import matches_package
from patches.wording import counted


@frozen
class Ignore:
    """
    One decision to ignore findings.

    :ivar vulnerability_id: a CVE or another name of the finding; ``None`` matches each vulnerability.
    :ivar package: the name of a package or of its source package; ``None`` matches each package.
    :ivar reason: the author's own words; never empty.
    :ivar expires: the first day on which the decision is not valid; ``None`` if it never expires.
    :ivar product: the package, optionally with its version, that a VEX statement names; ``None`` matches each package.
    :ivar alias: whether other vulnerabilities may share the name, as they share that of an advisory. Such a decision
        matches only the finding whose vulnerability id is exactly that name.
    :ivar status: as :attr:`Ignored.status`.
    :ivar justification: as :attr:`Ignored.justification`.
    :ivar platform: the only platform on which the decision holds; ``None`` if it holds on each.
    :ivar revokes: whether it says that the finding counts, whatever the decisions after it say.
    """

    vulnerability_id: str | None
    package: str | None
    reason: str
    expires: date | None
    product: PackageURL | None = None
    alias: bool = False
    status: str = "affected"
    justification: str | None = None
    platform: str | None = None
    revokes: bool = False

    def concerns(self, finding: Finding) -> bool:
        """Return whether the decision applies to a finding, whether or not it has expired."""
        package = finding.package
        return (
            (
                self.vulnerability_id is None
                or self.vulnerability_id in ((finding.vulnerability_id,) if self.alias else finding.names)
            )
            and (self.package is None or self.package in (package.name, package.source))
            and self.platform in (None, finding.platform)
            and (self.product is None or matches_package(self.product, package, finding.platform))
        )

    def has_expired(self, today: date) -> bool:
        """Return whether the decision is not valid on that day."""
        return self.expires is not None and today >= self.expires


#: The vulnerability and the package of a decision, as far as it names one.
_Named = tuple[str | None, str | None]


@frozen
class Ignores:
    """
    The decisions of a file, in the order in which they are tried.

    :ivar unidentified: the number of statements of a VEX document that are no decision, because they name no package
        of a kind that Patches can identify.
    """

    decisions: tuple[Ignore, ...] = ()
    unidentified: int = 0
    _places: Mapping[_Named, Sequence[int]] = field(init=False, eq=False, repr=False)

    @_places.default
    def _placed(self) -> Mapping[_Named, Sequence[int]]:
        places: dict[_Named, list[int]] = {}
        for number, decision in enumerate(self.decisions):
            package = decision.package if decision.product is None else decision.product.name
            places.setdefault((decision.vulnerability_id, package), []).append(number)
        return places

    def of(self, finding: Finding, today: date) -> Ignored | None:
        """Return the first valid decision about a finding; ``None`` if none applies, or it revokes others."""
        for decision in self._about(finding):
            if not decision.has_expired(today) and decision.concerns(finding):
                if decision.revokes:
                    return None
                return Ignored(decision.reason, decision.expires, decision.status, decision.justification)
        return None

    def _about(self, finding: Finding) -> list[Ignore]:
        """Return the decisions about the names of a finding and of its package, in their order."""
        if not self.decisions:
            return []
        package = finding.package
        pairs = {(name, part) for name in (*finding.names, None) for part in (package.name, package.source, None)}
        return [self.decisions[number] for number in sorted(chain(*(self._places.get(pair, ()) for pair in pairs)))]

    def expired(self, today: date) -> int:
        """Return the number of decisions that have expired."""
        return sum(decision.has_expired(today) for decision in self.decisions)

    def note(self) -> str | None:
        """Return a note on the statements that are no decision; ``None`` if there are none."""
        if not self.unidentified:
            return None
        verb = "names" if self.unidentified == 1 else "name"
        return f"{counted(self.unidentified, 'statement')} of the VEX document {verb} no package of a distribution"
