"""
The base score of a CVSS vector, of version 2 or 3.

Source: "A Complete Guide to the Common Vulnerability Scoring System" 2.0, section 3.2.1, and the specifications of CVSS
3.0 and 3.1, section 7.1 and appendix A. The scores of version 4 come from a table, and are not taken here.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, floor

_V3 = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "PR": {"N": 0.85, "L": 0.62, "H": 0.27},
    "UI": {"N": 0.85, "R": 0.62},
    "S": {"U": 0.0, "C": 1.0},
    "C": {"H": 0.56, "L": 0.22, "N": 0.0},
    "I": {"H": 0.56, "L": 0.22, "N": 0.0},
    "A": {"H": 0.56, "L": 0.22, "N": 0.0},
}
#: Where the scope changes, privileges that are required weigh less.
_PR_CHANGED = {"N": 0.85, "L": 0.68, "H": 0.5}
_V2 = {
    "AV": {"L": 0.395, "A": 0.646, "N": 1.0},
    "AC": {"H": 0.35, "M": 0.61, "L": 0.71},
    "Au": {"M": 0.45, "S": 0.56, "N": 0.704},
    "C": {"N": 0.0, "P": 0.275, "C": 0.66},
    "I": {"N": 0.0, "P": 0.275, "C": 0.66},
    "A": {"N": 0.0, "P": 0.275, "C": 0.66},
}


def version_of(vector: str) -> str | None:
    """Tell the version of a vector: ``2.0``, ``3.0``, ``3.1`` or ``4.0``; ``None`` if it is not known."""
    version, _, rest = vector.partition("/")
    known = {"CVSS:3.0": "3.0", "CVSS:3.1": "3.1", "CVSS:4.0": "4.0"}.get(version)
    return known if known and rest else "2.0" if vector.startswith("AV:") else None


def base_score(vector: str | None) -> float | None:
    """Give the base score of a vector; ``None`` if it has none that can be told."""
    version = version_of(vector) if vector else None
    if vector is None or version in (None, "4.0"):
        return None
    given = dict(part.split(":", 1) for part in vector.split("/") if ":" in part)
    table = _V2 if version == "2.0" else _V3
    try:
        weights = {metric: values[given[metric]] for metric, values in table.items()}
    except KeyError:
        return None
    if version == "2.0":
        return _score_2(weights)
    if given["S"] == "C":
        weights["PR"] = _PR_CHANGED[given["PR"]]
    return _score_3(weights)


def _score_3(weights: Mapping[str, float]) -> float:
    base = 1 - (1 - weights["C"]) * (1 - weights["I"]) * (1 - weights["A"])
    changed = bool(weights["S"])
    impact = 7.52 * (base - 0.029) - 3.25 * (base - 0.02) ** 15 if changed else 6.42 * base
    if impact <= 0:
        return 0.0
    exploitability = 8.22 * weights["AV"] * weights["AC"] * weights["PR"] * weights["UI"]
    return _round_up(min((1.08 if changed else 1.0) * (impact + exploitability), 10))


def _round_up(score: float) -> float:
    """Round up to one decimal, as version 3.1 does it: 4.000000001 is 4.0."""
    whole = round(score * 100_000)
    return whole / 100_000 if whole % 10_000 == 0 else (floor(whole / 10_000) + 1) / 10


def _score_2(weights: Mapping[str, float]) -> float:
    impact = 10.41 * (1 - (1 - weights["C"]) * (1 - weights["I"]) * (1 - weights["A"]))
    exploitability = 20 * weights["AV"] * weights["AC"] * weights["Au"]
    score = (0.6 * impact + 0.4 * exploitability - 1.5) * (1.176 if impact else 0.0)
    return ceil(score * 10 - 0.5) / 10
