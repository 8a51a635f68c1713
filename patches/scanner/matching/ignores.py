"""Findings that somebody decided to live with: each decision has a reason, and may have an end."""

from __future__ import annotations

from datetime import date

from attrs import frozen
from packageurl import PackageURL

from patches.scanner.matching.findings import Finding, Ignored
from patches.scanner.matching.purls import matches_package


@frozen
class Ignore:
    """
    One decision.

    :ivar flaw: a CVE or another name of the finding; ``None``: whatever flaw.
    :ivar package: the name of a package or of its source package; ``None``: whatever package.
    :ivar reason: in the words of who decided; never empty.
    :ivar expires: the first day on which it holds no more; ``None``: it does not end by itself.
    :ivar product: the package, and it may be the version of it, that a VEX statement is about; ``None``: any.
    :ivar alias: whether other flaws may share the name, as an advisory's: only the one of that very name is meant.
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
        """Tell whether it is about this finding."""
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
        """Tell whether it holds no more."""
        return self.expires is not None and today >= self.expires


@frozen
class Ignores:
    """All decisions."""

    decisions: tuple[Ignore, ...] = ()

    def of(self, finding: Finding, today: date) -> Ignored | None:
        """Give the decision that holds for a finding today; the first of several."""
        for decision in self.decisions:
            if not decision.has_expired(today) and decision.concerns(finding):
                return Ignored(decision.reason, decision.expires, decision.status, decision.justification)
        return None

    def expired(self, today: date) -> int:
        """Count the decisions that hold no more."""
        return sum(decision.has_expired(today) for decision in self.decisions)
