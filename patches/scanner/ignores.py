"""Findings that somebody decided to live with: each decision has a reason, and may have an end."""

from __future__ import annotations

from datetime import date

from attrs import frozen

from patches.scanner.findings import Finding, Ignored


@frozen
class Ignore:
    """
    One decision.

    :ivar flaw: a CVE or another name of the finding; ``None``: whatever flaw.
    :ivar package: the name of a package or of its source package; ``None``: whatever package. One of the two is set.
    :ivar reason: in the words of who decided; never empty.
    :ivar expires: the first day on which it holds no more; ``None``: it does not end by itself.
    """

    flaw: str | None
    package: str | None
    reason: str
    expires: date | None

    def concerns(self, finding: Finding) -> bool:
        """Tell whether it is about this finding."""
        package = finding.package
        return (self.flaw is None or self.flaw in finding.names) and (
            self.package is None or self.package in (package.name, package.source)
        )


@frozen
class Ignores:
    """All decisions."""

    decisions: tuple[Ignore, ...] = ()

    def of(self, finding: Finding, today: date) -> Ignored | None:
        """Give the decision that holds for a finding today; the first of several."""
        for decision in self.decisions:
            if (decision.expires is None or today < decision.expires) and decision.concerns(finding):
                return Ignored(decision.reason, decision.expires)
        return None
