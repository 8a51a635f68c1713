"""Headers by which a transfer is continued or put off: what they say, or ``None`` if they cannot be read."""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import parsedate_to_datetime

from attrs import frozen
from twisted.web.http_headers import Headers

_CONTENT_RANGE = re.compile(r"bytes\s+(\d{1,19})-(\d{1,19})/(\d{1,19})\Z", re.ASCII | re.IGNORECASE)
_STRONG = re.compile(r'"[\x21\x23-\x7e\x80-\xff]*"\Z')


@frozen
class ContentRange:
    """
    The part of a file that an answer has.

    :ivar first: the position of its first byte.
    :ivar last: the position of its last byte.
    :ivar total: the length of the file.
    """

    first: int
    last: int
    total: int

    @classmethod
    def from_headers(cls, headers: Headers) -> ContentRange | None:
        """Read ``Content-Range`` (RFC 9110, 14.4); one that does not tell the total length will not do."""
        read = _CONTENT_RANGE.match(one(headers, "content-range") or "")
        if read is None:
            return None
        found = cls(*(int(number) for number in read.groups()))
        return found if found.first <= found.last < found.total else None


def one(headers: Headers, name: str) -> str | None:
    """Give the value of a header; ``None`` if there is none, or it is empty."""
    values = headers.getRawHeaders(name) or [""]
    return values[-1].strip() or None


def strong(etag: str | None) -> str | None:
    """Give the validator if it is a strong one: then equal means the same bytes (RFC 9110, 8.8.3)."""
    return etag if etag and _STRONG.match(etag) else None


def retry_after(headers: Headers, now: float) -> float | None:
    """
    Read ``Retry-After`` (RFC 9110, 10.2.3).

    :param now: seconds since 1970; if the server says its own time, that counts.
    :return: in how many seconds to ask again.
    """
    text = one(headers, "retry-after") or ""
    if re.fullmatch(r"\d{1,9}", text, re.ASCII):
        return float(text)
    until = _date(text)
    said = _date(one(headers, "date") or "")
    return max(0.0, until - (now if said is None else said)) if until is not None else None


def _date(text: str) -> float | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
