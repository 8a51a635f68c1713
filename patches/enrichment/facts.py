"""The facts of enriching sources in the wire format: members of a record, or of one of its vulnerability ids."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from patches.vulnerability import Facts, Severity, Vulnerability

#: The most characters of the name of whoever rated a vulnerability.
_LONGEST_NAME = 64
_HIGHEST = int(max(Severity))
_DATE = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])\Z", re.ASCII)


class MalformedFacts(ValueError):
    """Facts that are not in the wire format."""


def is_date(value: Any) -> bool:
    """Return whether a value is a date, ``2021-11-03``."""
    return isinstance(value, str) and _DATE.match(value) is not None


def rare_members(record: Vulnerability | Facts) -> dict[str, Any]:
    """Return the members that a record has beside its ``severityRating`` and ``cvss``; what is not known is absent."""
    members = {
        "severitySource": record.severity_source,
        "cvssScore": record.score,
        "kev": record.kev,
        "epss": record.epss,
    }
    found: dict[str, Any] = {name: value for name, value in members.items() if value is not None}
    if isinstance(record, Vulnerability) and record.facts:
        found["facts"] = {name: facts_to_wire(facts) for name, facts in record.facts}
    return found


def facts_to_wire(facts: Facts) -> dict[str, Any]:
    """Convert facts to the wire format; what is not known is absent."""
    rating = {"severityRating": int(facts.severity)} if facts.severity is not Severity.UNKNOWN else {}
    vector = {"cvss": facts.cvss} if facts.cvss is not None else {}
    return {**rating, **vector, **rare_members(facts)}


def facts_from_wire(members: Mapping[str, Any]) -> Facts:
    """
    Parse facts from the wire format; unknown members are ignored.

    :raises MalformedFacts: if a member has a value that it cannot have.
    """
    rating = members.get("severityRating", 0)
    if not isinstance(rating, int) or isinstance(rating, bool) or not 0 <= rating <= _HIGHEST:
        raise MalformedFacts(f"'severityRating' must be a whole number from 0 to {_HIGHEST}")
    cvss = members.get("cvss")
    if cvss is not None and not isinstance(cvss, str):
        raise MalformedFacts("'cvss' must be a string or null")
    return Facts(
        Severity(rating),
        _name(members.get("severitySource")),
        cvss,
        _number(members, "cvssScore", 10),
        _date(members.get("kev")),
        _number(members, "epss", 1),
    )


def facts_by_id(members: Any) -> tuple[tuple[str, Facts], ...]:
    """
    Parse the facts of the vulnerability ids of a record, by id.

    :raises MalformedFacts: if they are not an object of objects, or a member has a value that it cannot have.
    """
    if members is None:
        return ()
    if not isinstance(members, dict) or not all(isinstance(each, dict) for each in members.values()):
        raise MalformedFacts("'facts' must be an object of objects")
    return tuple((name, facts_from_wire(each)) for name, each in members.items())


def _name(value: Any) -> str | None:
    if value is None or (isinstance(value, str) and 0 < len(value) <= _LONGEST_NAME):
        return value
    raise MalformedFacts(f"'severitySource' must be a string of at most {_LONGEST_NAME} characters")


def _date(value: Any) -> str | None:
    if value is None or is_date(value):
        return value if value is None else str(value)
    raise MalformedFacts("'kev' must be a date, YYYY-MM-DD")


def _number(members: Mapping[str, Any], name: str, most: int) -> float | None:
    value = members.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise MalformedFacts(f"{name!r} must be a number from 0 to {most}")
    return float(value)
