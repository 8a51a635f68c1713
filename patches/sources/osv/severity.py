"""The severity of an OSV record: the distribution's own rating, or else that of a CVSS vector."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from patches.cvss import rating
from patches.sources.fields import dicts, severity_in
from patches.vulnerability import Severity

#: In order of preference: the newest version that can be scored is first.
_VECTORS = ("CVSS_V3", "CVSS_V4", "CVSS_V2")
_VECTOR = re.compile(r"[A-Za-z0-9.:/()]{1,200}\Z")
_FIRST_WORD = re.compile(r"\s*([A-Za-z]+)\s*:")


def vector_of(scores: list[dict[str, Any]]) -> str | None:
    """Return the CVSS vector of a record; of several, the one that can best be scored."""
    vectors = {score.get("type"): score["score"] for score in reversed(scores) if _is_vector(score.get("score"))}
    return next((vectors[kind] for kind in _VECTORS if kind in vectors), None)


def _is_vector(value: Any) -> bool:
    return isinstance(value, str) and _VECTOR.match(value) is not None


def severity_of(document: dict[str, Any], entries: list[dict[str, Any]], rated_in_summary: bool) -> Severity:
    """
    Return the severity of a vulnerability on one platform.

    :param document: the record.
    :param entries: its elements of ``affected`` for the platform.
    :param rated_in_summary: whether the summary begins with the severity.
    """
    for word in _words(document, entries, rated_in_summary):
        found = severity_in(word)
        if found is not Severity.UNKNOWN:
            return found
    urgencies = [_specific(entry).get("urgency") for entry in entries]
    if urgencies and all(urgency == "unimportant" for urgency in urgencies):
        return Severity.NEGLIGIBLE
    scored = [rating(score["score"]) for score in _scores(document, entries) if _is_vector(score.get("score"))]
    known = [severity for severity in scored if severity is not Severity.UNKNOWN]
    return known[0] if known else max((severity_in(urgency) for urgency in urgencies), default=Severity.UNKNOWN)


def _words(document: dict[str, Any], entries: list[dict[str, Any]], rated_in_summary: bool) -> Iterator[Any]:
    for score in dicts(document.get("severity")):
        if score.get("type") == "Ubuntu":
            yield score.get("score")
    for entry in entries:
        yield _specific(entry).get("ubuntu_priority")
    if rated_in_summary and isinstance(document.get("summary"), str):
        first = _FIRST_WORD.match(document["summary"])
        yield first[1] if first else None
    specific = document.get("database_specific")
    yield specific.get("severity") if isinstance(specific, dict) else None


def _specific(entry: dict[str, Any]) -> dict[str, Any]:
    specific = entry.get("ecosystem_specific")
    return specific if isinstance(specific, dict) else {}


def _scores(document: dict[str, Any], entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return all scores, those of CVSS version 3 first."""
    scores = [score for holder in (document, *entries) for score in dicts(holder.get("severity"))]
    return sorted(scores, key=lambda score: score.get("type") != "CVSS_V3")
