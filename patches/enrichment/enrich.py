"""
The enrichment of a record: facts about its vulnerability ids are added, and nothing that its source says is replaced.

The severity of the source always stands; a score of others only fills what is unknown, and the record says whose it is.
Membership in KEV and the band of EPSS are added facts. A record with several ids, an advisory, keeps the facts of each:
that one of its ids is exploited says nothing about the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from attrs import evolve

from patches.cvss import base_score
from patches.vulnerability import Facts, Severity, Vulnerability

#: Returns what is known about a vulnerability id; ``None``: nothing.
FactsOf = Callable[[str], Facts | None]


def joined(several: Iterable[Facts]) -> Facts | None:
    """
    Return the facts of several sources about one vulnerability id; of two that know the same, the first one holds.

    :return: ``None`` if there are none.
    """
    found: Facts | None = None
    for facts in several:
        if found is None:
            found = facts
            continue
        rated = found if found.score is not None or found.cvss is not None else facts
        found = Facts(
            rated.severity,
            rated.severity_source,
            rated.cvss,
            rated.score,
            found.kev or facts.kev,
            found.epss if found.epss is not None else facts.epss,
        )
    return found


def enriched(record: Vulnerability, facts_of: FactsOf) -> Vulnerability:
    """Return a record with what is known about its vulnerability ids; the same one if there is nothing to add."""
    ids = record.vulnerability_ids
    known = [(each, facts) for each in ids if (facts := facts_of(each)) is not None]
    vector, score = record.cvss, record.score
    if vector is not None and score is None:
        score = base_score(vector)
    if not known:
        return record if score == record.score else evolve(record, score=score)
    rated = max((facts for _, facts in known), key=_weight)
    if vector is None:
        vector, score = rated.cvss, rated.score
    severity, severity_source = record.severity, record.severity_source
    if severity is Severity.UNKNOWN:
        severity, severity_source = rated.severity, rated.severity_source
    dates = [date for date in (record.kev, *(facts.kev for _, facts in known)) if date is not None]
    bands = [band for band in (record.epss, *(facts.epss for _, facts in known)) if band is not None]
    return evolve(
        record,
        severity=severity,
        severity_source=severity_source if severity is not Severity.UNKNOWN else record.severity_source,
        cvss=vector,
        score=score,
        kev=min(dates, default=None),
        epss=max(bands, default=None),
        facts=tuple(known) if len(ids) > 1 else record.facts,
    )


def _weight(facts: Facts) -> tuple[int, float]:
    return facts.severity, facts.score if facts.score is not None else -1.0
