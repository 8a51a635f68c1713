"""
The findings that cause exit code 1: those at least as severe as a limit, known to be exploited, or likely to be.

A limit of severity counts findings of which no severity is known, too: nobody has said that they are less severe.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from attrs import evolve, frozen

from patches.scanner.matching.findings import Finding
from patches.scanner.outcome import Outcome
from patches.vulnerability import Severity
from patches.wording import counted

#: The value of ``--fail-on`` with which findings do not change the exit code.
NEVER = "never"
_SEVERITIES = {severity.name.lower(): severity for severity in Severity}
_EPSS = re.compile(r"epss=(0(?:\.\d)?)\Z", re.ASCII)
#: The facts that a list must have been made with, and the kind of source that has them.
_KNOWN_AS = {"kev": "KEV", "epss": "EPSS"}


def without_facts(wanted: Sequence[str], outcome: Outcome) -> str | None:
    """
    Return which facts the list of a scan was made without; ``None``: none that is wanted, or no list was received.

    :param wanted: names of facts: ``kev``, ``epss``.
    """
    absent = [name for name in wanted if name not in outcome.list_info.enrichments]
    if not absent or outcome.list_info.revision is None:
        return None
    names, kinds = " and ".join(_KNOWN_AS[name] for name in absent), " and ".join(absent)
    return f"the list of {outcome.platform} was made without {names}: that needs a source of the kind {kinds}"


@frozen
class FailOn:
    """
    The conditions under which a finding counts for the exit code: any of these is enough.

    :ivar severity: the lowest severity; ``None``: no severity counts.
    :ivar kev: whether one counts that CISA lists as known to be exploited.
    :ivar epss: the lowest band of the EPSS percentile; ``None``: no band counts.
    :ivar allows_unknown: whether a finding of unknown severity does not count, unless any severity does.
    """

    severity: Severity | None = None
    kev: bool = False
    epss: float | None = None
    allows_unknown: bool = False

    @classmethod
    def from_text(cls, text: str) -> FailOn:
        """
        Parse the value of ``--fail-on``: a severity, ``kev`` and ``epss=0.9``, separated by commas; or ``never``.

        :raises ValueError: if it is anything else.
        """
        found = cls()
        terms = [term.strip() for term in text.split(",")]
        for term in terms if terms != [NEVER] else ():
            band = _EPSS.match(term)
            if term in _SEVERITIES and found.severity is None:
                found = evolve(found, severity=_SEVERITIES[term])
            elif term == "kev":
                found = evolve(found, kev=True)
            elif band is not None and found.epss is None:
                found = evolve(found, epss=float(band[1]))
            else:
                names = ", ".join(_SEVERITIES)
                raise ValueError(f"must be one of {names}; kev; epss=0.0 to epss=0.9; several, with commas; or {NEVER}")
        return found

    def __str__(self) -> str:
        """Return the value of ``--fail-on``."""
        severity = [self.severity.name.lower()] if self.severity is not None else []
        terms = [*severity, *(["kev"] if self.kev else []), *([f"epss={self.epss}"] if self.epss is not None else [])]
        return ",".join(terms) or NEVER

    def counts(self, finding: Finding) -> bool:
        """Return whether a finding counts."""
        severity = finding.severity
        if self.severity is not None and (severity >= self.severity or self._counts_as_unknown(severity)):
            return True
        if not self.kev and self.epss is None:
            return False
        facts = finding.facts
        is_likely = self.epss is not None and facts.epss is not None and facts.epss >= self.epss
        return is_likely or (self.kev and facts.kev is not None)

    def missing(self, outcome: Outcome) -> str | None:
        """
        Return why the list of a scan cannot tell which findings count; ``None`` if it can, or was not received.

        A list that was made without KEV or EPSS has no finding that counts, which would look like a good result.
        """
        wanted = [*(["kev"] if self.kev else []), *(["epss"] if self.epss is not None else [])]
        why = without_facts(wanted, outcome)
        return f"--fail-on {self}: {why}" if why is not None else None

    def note(self, outcome: Outcome) -> str | None:
        """Return a line about the findings of unknown severity; ``None`` if there are none, or any severity counts."""
        if self.severity in (None, Severity.UNKNOWN):
            return None
        unknown = sum(finding.severity is Severity.UNKNOWN for finding in outcome.counted)
        if not unknown:
            return None
        findings = f"{counted(unknown, 'finding')} of unknown severity"
        if self.allows_unknown:
            return f"{findings}: not counted for --fail-on {self} (--allow-unknown-severity)."
        return f"{findings}: counted for --fail-on {self}, unless --allow-unknown-severity is given."

    def _counts_as_unknown(self, severity: Severity) -> bool:
        return severity is Severity.UNKNOWN and not self.allows_unknown
