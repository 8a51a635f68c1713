"""Header fields of resumed transfers, parsed; ``None`` for one that cannot be parsed."""

from __future__ import annotations

import re

from attrs import frozen
from twisted.web.http_headers import Headers

from patches.http.headers import header_value

_CONTENT_RANGE = re.compile(r"bytes\s+(\d{1,19})-(\d{1,19})/(\d{1,19})\Z", re.ASCII | re.IGNORECASE)
_STRONG = re.compile(r'"[\x21\x23-\x7e\x80-\xff]*"\Z')


@frozen
class ContentRange:
    """
    The part of a file that a response contains.

    :ivar first: the position of its first byte.
    :ivar last: the position of its last byte.
    :ivar total: the length of the file.
    """

    first: int
    last: int
    total: int

    @classmethod
    def from_headers(cls, headers: Headers) -> ContentRange | None:
        """Parse ``Content-Range`` (RFC 9110, 14.4); ``None`` if it is missing or does not contain the total length."""
        read = _CONTENT_RANGE.match(header_value(headers, "content-range") or "")
        if read is None:
            return None
        found = cls(*(int(number) for number in read.groups()))
        return found if found.first <= found.last < found.total else None


def strong_validator(etag: str | None) -> str | None:
    """Return an entity tag if it is strong: equal strong tags mean equal bytes (RFC 9110, 8.8.3)."""
    return etag if etag and _STRONG.match(etag) else None
