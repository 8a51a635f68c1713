"""The words with which distributions rate flaws."""

from __future__ import annotations

from typing import Any

from patches.vulnerability import Severity

WORDS = {
    "negligible": Severity.NEGLIGIBLE,
    "unimportant": Severity.NEGLIGIBLE,
    "low": Severity.LOW,
    "medium": Severity.MEDIUM,
    "moderate": Severity.MEDIUM,
    "high": Severity.HIGH,
    "important": Severity.HIGH,
    "critical": Severity.CRITICAL,
}


def severity_in(word: Any) -> Severity:
    """Give what a word stands for, in any case, with or without Debian's stars; unknown if it is no such word."""
    return WORDS.get(word.strip().rstrip("*").lower(), Severity.UNKNOWN) if isinstance(word, str) else Severity.UNKNOWN
