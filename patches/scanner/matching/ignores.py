"""Decisions to ignore findings: each has a reason and, unless it is unlimited, the day on which it expires."""

from __future__ import annotations

from datetime import date

from attrs import frozen
from packageurl import PackageURL

from patches.scanner.matching.findings import Finding, Ignored
from patches.scanner.matching.purls import matches_package


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
    """

    vulnerability_id: str | None
    package: str | None
    reason: str
    expires: date | None
    product: PackageURL | None = None
    alias: bool = False
    status: str = "affected"
    justification: str | None = None

    def concerns(self, finding: Finding) -> bool:
        """Return whether the decision applies to a finding, whether or not it has expired."""
        package = finding.package
        return (
            (
                self.vulnerability_id is None
                or self.vulnerability_id in ((finding.vulnerability_id,) if self.alias else finding.names)
            )
            and (self.package is None or self.package in (package.name, package.source))
            and (self.product is None or matches_package(self.product, package, finding.platform))
        )

    def has_expired(self, today: date) -> bool:
        """Return whether the decision is not valid on that day."""
        return self.expires is not None and today >= self.expires


@frozen
class Ignores:
    """The decisions of a file, in the order in which they are tried."""

    decisions: tuple[Ignore, ...] = ()

    def of(self, finding: Finding, today: date) -> Ignored | None:
        """Return the first valid decision about a finding; ``None`` if no decision applies."""
        for decision in self.decisions:
            if not decision.has_expired(today) and decision.concerns(finding):
                return Ignored(decision.reason, decision.expires, decision.status, decision.justification)
        return None

    def expired(self, today: date) -> int:
        """Return the number of decisions that have expired."""
        return sum(decision.has_expired(today) for decision in self.decisions)
