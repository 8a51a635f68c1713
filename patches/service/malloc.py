"""The C library's allocator: it keeps freed memory, and can be told to give it back to the system."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any


@cache
def _malloc_trim() -> Any:
    """Return glibc's function; ``None`` where the C library is another one."""
    return getattr(ctypes.CDLL(None), "malloc_trim", None)


def give_back() -> bool:
    """Return freed memory to the system (``malloc_trim(3)``). Return whether there is a function for that."""
    trim = _malloc_trim()
    if trim is not None:
        trim(0)
    return trim is not None
