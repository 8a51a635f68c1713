"""Values taken out of a report's JSON, each checked for what it must be."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from patches.platforms import InvalidPlatform, Platform

_HOST = re.compile(r"(?!\.{1,2}\Z)[!-.0-~]{1,253}\Z")
_LONGEST_TEXT = 1024
_GREATEST_NUMBER = 2**53


class MalformedReport(ValueError):
    """A report that cannot be taken; its text says why, in one line."""


def json_object(body: bytes) -> dict[str, Any]:
    """Read a JSON object that can be written again: of real numbers and whole characters."""
    try:
        document = json.loads(body, parse_constant=_no_number)
        if b"\\ud" in body.lower():
            json.dumps(document, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise MalformedReport("the body is not JSON") from error
    if not isinstance(document, dict):
        raise MalformedReport("the body must be a JSON object")
    return document


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


def host(value: Any) -> str:
    """Take a host's name, which must fit into a path."""
    if not isinstance(value, str) or not _HOST.match(value):
        raise MalformedReport('"host" must be a name of 1 to 253 printable ASCII characters, without a slash')
    return value


def platform(value: Any) -> str:
    """Take a platform's name."""
    try:
        return str(Platform.from_name(text(value, "platform")))
    except InvalidPlatform as error:
        raise MalformedReport(f"platform: {error}") from error


def text(value: Any, name: str, least: int = 1) -> str:
    """Take a text of at least so many characters."""
    if not isinstance(value, str) or not least <= len(value) <= _LONGEST_TEXT or not value.isprintable():
        raise MalformedReport(f"{name} must be a printable text of {least} to {_LONGEST_TEXT} characters")
    return value


def text_or_none(value: Any, name: str) -> str | None:
    """Take a text that may be absent."""
    return None if value is None else text(value, name)


def number(value: Any, name: str) -> int:
    """Take a whole number."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < _GREATEST_NUMBER:
        raise MalformedReport(f"{name} must be a whole number")
    return value


def counts(value: Any, name: str) -> dict[str, int]:
    """Take counts by reason; none if absent."""
    if value is not None and not isinstance(value, dict):
        raise MalformedReport(f"{name} must be an object")
    return {text(reason, name): number(count, name) for reason, count in (value or {}).items()}


def time(value: Any, name: str) -> datetime:
    """Take a time with its offset (RFC 3339), as UTC."""
    with suppress(ValueError, OverflowError):
        taken = datetime.fromisoformat(text(value, name))
        if taken.tzinfo is not None:
            return taken.astimezone(UTC)
    raise MalformedReport(f"{name} must be a time with its offset, as in RFC 3339")
