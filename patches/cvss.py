"""
CVSS: the base score of a vector, and the severity that follows from it.

The scores are computed by the library ``cvss``; the scale is that of the *Common Vulnerability Scoring System v3.1:
Specification Document*, FIRST, section 5. Vectors of version 4 are not scored.
"""

from __future__ import annotations

from functools import lru_cache

from patches.vulnerability import Severity

#: The lowest score of each severity, in tenths.
_SCALE = ((90, Severity.CRITICAL), (70, Severity.HIGH), (40, Severity.MEDIUM), (1, Severity.LOW))


def version_of(vector: str) -> str | None:
    """Return the version of a vector: ``2.0``, ``3.0``, ``3.1`` or ``4.0``; ``None`` if it is not known."""
    version, _, rest = vector.partition("/")
    known = {"CVSS:3.0": "3.0", "CVSS:3.1": "3.1", "CVSS:4.0": "4.0"}.get(version)
    return known if known and rest else "2.0" if vector.strip("()").startswith("AV:") else None


@lru_cache(maxsize=4096)  # a feed repeats a few thousand vectors
def base_score(vector: str) -> float | None:
    """
    Compute the base score of a vector, 0.0 to 10.0.

    :param vector: of version 2.0, 3.0 or 3.1; a vector of version 2.0 has no ``CVSS:`` before it.
    :return: ``None`` if it is of another version, or is not a vector.
    """
    version = version_of(vector)
    if version in (None, "4.0"):
        return None
    from cvss import CVSS2, CVSS3, CVSSError  # takes 20 ms, which a scan without documents saves

    try:
        return float((CVSS2 if version == "2.0" else CVSS3)(vector.strip("()")).base_score)
    except CVSSError:
        return None


def rating(vector: str) -> Severity:
    """Return the severity of a vector's base score; unknown if the vector cannot be scored."""
    score = base_score(vector)
    if score is None:
        return Severity.UNKNOWN
    tenths = round(score * 10)
    return next((severity for lowest, severity in _SCALE if tenths >= lowest), Severity.NEGLIGIBLE)
