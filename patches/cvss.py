"""
CVSS: the base score of a vector, and the severity that follows from it.

The scores are computed by the library ``cvss``; the scale is that of the *Common Vulnerability Scoring System v3.1:
Specification Document*, FIRST, section 5, and of the *Common Vulnerability Scoring System v4.0: Specification
Document*, section 6. Version 2 has no scale of its own: the one that NVD uses for it (*Vulnerability Metrics*) ends
with *high*.
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

    :param vector: of version 2.0, 3.0, 3.1 or 4.0; a vector of version 2.0 has no ``CVSS:`` before it.
    :return: ``None`` if it is of another version, is not a vector, or the library is not installed.
    """
    version = version_of(vector)
    if version is None:
        return None
    try:
        from cvss import CVSS2, CVSS3, CVSS4, CVSSError  # takes 20 ms, which a scan without documents saves
    except ImportError:  # a scanner by itself does without: the scores are in the lists
        return None

    form = {"2.0": CVSS2, "4.0": CVSS4}.get(version, CVSS3)
    try:
        return float(form(vector.strip("()")).base_score)
    except (CVSSError, KeyError, ValueError):  # the last two: of parts that the library does not expect
        return None


def rating(vector: str) -> Severity:
    """Return the severity of a vector's base score; unknown if the vector cannot be scored."""
    score = base_score(vector)
    return Severity.UNKNOWN if score is None else rating_of(score, vector)


def rating_of(score: float, vector: str) -> Severity:
    """Return the severity of a score, on the scale of the version of its vector."""
    tenths = round(score * 10)
    severity = next((severity for lowest, severity in _SCALE if tenths >= lowest), Severity.NEGLIGIBLE)
    return min(severity, Severity.HIGH) if version_of(vector) == "2.0" else severity
