"""Parsers of the values in a report's JSON, each of which returns a valid value or raises."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from patches.platforms import InvalidPlatform, Platform
from patches.wire import is_whole
from patches.wording import printable

_HOST = re.compile(r"(?!\.{1,2}\Z)[!-.0-~]{1,253}\Z")
_LONGEST_TEXT = 1024
_GREATEST_NUMBER = 2**53


class MalformedReport(ValueError):
    """A report is not valid; the text says why, in one line."""


def host(value: Any) -> str:
    """Return the name of a host, which must be valid as a part of a URL's path."""
    if not isinstance(value, str) or not _HOST.match(value):
        raise MalformedReport('"host" must be a name of 1 to 253 printable ASCII characters, without a slash')
    return value


def platform(value: Any) -> str:
    """Return the name of a platform."""
    try:
        return str(Platform.from_name(text(value, "platform")))
    except InvalidPlatform as error:
        raise MalformedReport(f"platform: {error}") from error


def text(value: Any, name: str, least: int = 1) -> str:
    """
    Return a text, in which what cannot be shown is escaped.

    :param name: the name of the member, for the error message; so in every function below.
    :param least: the least number of characters.
    """
    if not isinstance(value, str) or not least <= len(value) <= _LONGEST_TEXT:
        raise MalformedReport(f"{name} must be a text of {least} to {_LONGEST_TEXT} characters")
    return printable(value)


def text_or_none(value: Any, name: str) -> str | None:
    """Return a text, or ``None`` if it is absent."""
    return None if value is None else text(value, name)


def number(value: Any, name: str) -> int:
    """Return an integer that is not negative."""
    if not is_whole(value) or not 0 <= value < _GREATEST_NUMBER:
        raise MalformedReport(f"{name} must be an integer from 0 to 2^53 - 1")
    return value


def counts(value: Any, name: str) -> dict[str, int]:
    """Return counts by reason; an empty dictionary if they are absent."""
    if value is not None and not isinstance(value, dict):
        raise MalformedReport(f"{name} must be an object")
    return {text(reason, name): number(count, name) for reason, count in (value or {}).items()}


def time(value: Any, name: str) -> datetime:
    """Return a time in UTC from a text with a UTC offset (RFC 3339)."""
    with suppress(ValueError, OverflowError):
        taken = datetime.fromisoformat(text(value, name))
        if taken.tzinfo is not None:
            return taken.astimezone(UTC)
    raise MalformedReport(f"{name} must be a time with a UTC offset, as in RFC 3339")
