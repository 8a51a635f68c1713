"""Header fields of responses, parsed for all clients; ``None`` for one that cannot be parsed."""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import parsedate_to_datetime

from twisted.web.http_headers import Headers


def header_value(headers: Headers, name: str) -> str | None:
    """Return the value of a header; ``None`` if it is missing, empty, or not in UTF-8."""
    values = headers.getRawHeaders(name.encode("ascii")) or [b""]
    try:
        return values[-1].decode("utf-8").strip() or None
    except UnicodeDecodeError:
        return None


def retry_after(headers: Headers, now: float) -> float | None:
    """
    Parse ``Retry-After`` (RFC 9110, 10.2.3).

    :param now: seconds since 1970; not used if the response has a ``Date``.
    :return: the number of seconds to wait before the next request.
    """
    text = header_value(headers, "retry-after") or ""
    if re.fullmatch(r"\d{1,9}", text, re.ASCII):
        return float(text)
    until = _date(text)
    said = date(headers)
    return max(0.0, until - (now if said is None else said)) if until is not None else None


def date(headers: Headers) -> float | None:
    """Parse ``Date`` (RFC 9110, 6.6.1). Return the time of the response in seconds since the epoch."""
    return _date(header_value(headers, "date") or "")


def _date(text: str) -> float | None:
    try:
        found = parsedate_to_datetime(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
