"""
The base score of a CVSS vector, and the word for it.

Sources: *Common Vulnerability Scoring System v3.1: Specification Document*, FIRST, sections 5 and 7.1 and appendix A;
*A Complete Guide to the Common Vulnerability Scoring System Version 2.0*, FIRST, section 3.2.1. Vectors of version 4
are not scored: its score is looked up, not computed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from patches.vulnerability import Severity

_V3: dict[str, dict[str, float]] = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "PR": {"N": 0.85, "L": 0.62, "H": 0.27},
    "UI": {"N": 0.85, "R": 0.62},
    "S": {"U": 0.0, "C": 1.0},
    "C": {"H": 0.56, "L": 0.22, "N": 0.0},
    "I": {"H": 0.56, "L": 0.22, "N": 0.0},
    "A": {"H": 0.56, "L": 0.22, "N": 0.0},
}
#: Privileges that are required weigh less where the scope changes.
_V3_PR_CHANGED = {0.62: 0.68, 0.27: 0.5}
_V2: dict[str, dict[str, float]] = {
    "AV": {"L": 0.395, "A": 0.646, "N": 1.0},
    "AC": {"H": 0.35, "M": 0.61, "L": 0.71},
    "Au": {"M": 0.45, "S": 0.56, "N": 0.704},
    "C": {"N": 0.0, "P": 0.275, "C": 0.66},
    "I": {"N": 0.0, "P": 0.275, "C": 0.66},
    "A": {"N": 0.0, "P": 0.275, "C": 0.66},
}
#: The lowest score of each severity, in tenths.
_SCALE = ((90, Severity.CRITICAL), (70, Severity.HIGH), (40, Severity.MEDIUM), (1, Severity.LOW))


def version_of(vector: str) -> str | None:
    """Tell the version of a vector: ``2.0``, ``3.0``, ``3.1`` or ``4.0``; ``None`` if it is not known."""
    version, _, rest = vector.partition("/")
    known = {"CVSS:3.0": "3.0", "CVSS:3.1": "3.1", "CVSS:4.0": "4.0"}.get(version)
    return known if known and rest else "2.0" if vector.strip("()").startswith("AV:") else None


def base_score(vector: str) -> float | None:
    """
    Compute the base score of a vector, 0.0 to 10.0.

    :param vector: of version 3.0, 3.1 or 2.0; the last one has no ``CVSS:`` before it.
    :return: ``None`` if it is of another version, or is not a vector.
    """
    version, *metrics = vector.strip("()").split("/")
    try:
        if version in ("CVSS:3.0", "CVSS:3.1"):
            return _score_v3(_weights(_V3, metrics), version)
        return _score_v2(_weights(_V2, [version, *metrics]))
    except (KeyError, ValueError):
        return None


def rating(vector: str) -> Severity:
    """Give the word for a vector's base score, on the scale of version 3; unknown if there is no score."""
    score = base_score(vector)
    if score is None:
        return Severity.UNKNOWN
    tenths = round(score * 10)
    return next((severity for lowest, severity in _SCALE if tenths >= lowest), Severity.NEGLIGIBLE)


def _weights(table: Mapping[str, Mapping[str, float]], metrics: list[str]) -> dict[str, float]:
    """Look the base metrics up; a vector may hold others, of time and environment."""
    values = dict(metric.split(":") for metric in metrics)
    return {name: weights[values[name]] for name, weights in table.items()}


def _score_v3(weight: Mapping[str, float], version: str) -> float:
    changed = weight["S"] == 1.0
    isc = 1 - (1 - weight["C"]) * (1 - weight["I"]) * (1 - weight["A"])
    impact = 7.52 * (isc - 0.029) - 3.25 * (isc - 0.02) ** 15 if changed else 6.42 * isc
    if impact <= 0:
        return 0.0
    privileges = _V3_PR_CHANGED.get(weight["PR"], weight["PR"]) if changed else weight["PR"]
    exploitability = 8.22 * weight["AV"] * weight["AC"] * privileges * weight["UI"]
    return _round_up(min(1.08 * (impact + exploitability) if changed else impact + exploitability, 10), version)


def _round_up(score: float, version: str) -> float:
    """Round up to a tenth; 3.1 says how, so that no machine's fractions matter."""
    if version == "CVSS:3.0":
        return math.ceil(score * 10) / 10
    units = round(score * 100_000)
    return units / 100_000 if units % 10_000 == 0 else (units // 10_000 + 1) / 10


def _score_v2(weight: Mapping[str, float]) -> float:
    impact = 10.41 * (1 - (1 - weight["C"]) * (1 - weight["I"]) * (1 - weight["A"]))
    exploitability = 20 * weight["AV"] * weight["AC"] * weight["Au"]
    return round(((0.6 * impact) + (0.4 * exploitability) - 1.5) * (1.176 if impact else 0), 1)
