"""What a text in a feed must be before it is taken over: it can be printed, and is not too long."""

from __future__ import annotations

import re
from typing import Any, TypeGuard

_NAME = re.compile(r"[!-~]{1,256}\Z")
_LINK = re.compile(r"https?://[!-~]{1,2000}\Z")
_TIME = re.compile(r"(?!0001-)\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)\Z")


def is_name(value: Any) -> TypeGuard[str]:
    """Tell whether this can be the name of a record or of a package, or a version."""
    return isinstance(value, str) and _NAME.match(value) is not None


def is_link(value: Any) -> TypeGuard[str]:
    """Tell whether this is the address of a web page."""
    return isinstance(value, str) and _LINK.match(value) is not None


def time_in(value: Any) -> str | None:
    """Take an RFC 3339 time; the year 1 is how some feeds write that none is known."""
    return value if isinstance(value, str) and _TIME.match(value) else None
