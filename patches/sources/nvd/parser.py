"""
Parser of NVD's JSON 2.0: the vector and the score of each CVE, and whose they are.

A file has hundreds of megabytes, nearly all of them descriptions, references and configurations, which are dropped
while they are read. Of the metrics of a CVE one is kept: that of NVD's own analysts (``Primary`` of ``nvd@nist.gov``),
else that of the CNA which published the CVE, else that of another provider; of several versions the one that the most
records have, 3.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from patches.cvss import base_score, rating_of, version_of
from patches.sources.archive.json_stream import Readable, items_of
from patches.sources.fields import dicts, object_of
from patches.sources.ids import is_cve
from patches.sources.parse_context import ParseContext
from patches.vulnerability import ALL_PLATFORMS, Vulnerability

NO_CVE = "not a CVE"
REJECTED = "rejected"
NOT_RATED = "not rated"
NVD, CNA, ADP = "nvd", "cna", "adp"
_ANALYSTS = "nvd@nist.gov"
#: In order of preference.
_METRICS = ("cvssMetricV31", "cvssMetricV30", "cvssMetricV40", "cvssMetricV2")
_VECTOR = re.compile(r"[A-Za-z0-9.:/()]{1,200}\Z")
#: The members of a CVE that are not read; they are nearly all of a file.
_UNUSED = frozenset(
    ("descriptions", "references", "configurations", "weaknesses", "vendorComments", "cveTags", "cisaVulnerabilityName")
)


class _Lean(dict[str, Any]):
    """An object without the members that are not read."""

    __slots__ = ()

    def __setitem__(self, key: str, value: Any) -> None:
        if key not in _UNUSED:
            super().__setitem__(key, value)


def parse_nvd(stream: Readable, context: ParseContext) -> Iterator[Vulnerability]:
    """
    Yield a record for each CVE that is rated, about all platforms.

    :raises SourceError: if the document is not in NVD's format, or ends early.
    """
    for item in items_of(stream, context, "vulnerabilities", "a file of NVD's JSON 2.0", "totalResults", _Lean):
        found = _record(object_of(object_of(item).get("cve")), context)
        if found is not None:
            yield found


def _record(cve: dict[str, Any], context: ParseContext) -> Vulnerability | None:
    name = cve.get("id")
    if not is_cve(name):
        context.skip(NO_CVE)
        return None
    if cve.get("vulnStatus") == "Rejected":
        context.skip(REJECTED)
        return None
    metrics = object_of(cve.get("metrics"))
    known = [metric for version in _METRICS for metric in dicts(metrics.get(version)) if _vector(metric) is not None]
    if not known:
        context.skip(NOT_RATED)
        return None
    chosen = min(known, key=lambda metric: _order(metric, cve.get("sourceIdentifier")))  # of equals the first
    vector, whose = str(_vector(chosen)), (NVD, CNA, ADP)[_order(chosen, cve.get("sourceIdentifier"))]
    score = _score(chosen, vector)
    severity = rating_of(score, vector)
    return Vulnerability(
        name, ALL_PLATFORMS, (), severity, source=context.source, cvss=vector, score=score, severity_source=whose
    )


def _order(metric: dict[str, Any], cna: Any) -> int:
    """Return the place of a metric: 0 of NVD's analysts, 1 of the CNA, 2 of others."""
    source = metric.get("source")
    if source == _ANALYSTS and metric.get("type") == "Primary":
        return 0
    return 1 if source == cna else 2


def _vector(metric: dict[str, Any]) -> str | None:
    """Return the vector of a metric, if it has one with a known version and a score."""
    vector = object_of(metric.get("cvssData")).get("vectorString")
    if not isinstance(vector, str) or not _VECTOR.match(vector) or version_of(vector) is None:
        return None
    return vector if _given(metric) is not None or base_score(vector) is not None else None


def _score(metric: dict[str, Any], vector: str) -> float:
    given = _given(metric)
    return given if given is not None else base_score(vector) or 0.0


def _given(metric: dict[str, Any]) -> float | None:
    """Return the score that NVD states, which saves computing it."""
    score = object_of(metric.get("cvssData")).get("baseScore")
    if isinstance(score, bool) or not isinstance(score, int | Decimal):  # the parser keeps the digits of a number
        return None
    return round(float(score), 1) if 0 <= score <= 10 else None
