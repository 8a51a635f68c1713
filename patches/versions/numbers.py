"""Numbers, of any length, as bytes that compare by value."""

from __future__ import annotations

_MANY = 0x3E
_COUNTS = tuple(bytes((count + 1,)) for count in range(_MANY))


def number_key(digits: bytes) -> bytes:
    """
    Encode a number so that the bytes compare as the values do: the count of digits without leading zeros, then the
    digits.

    :param digits: ASCII digits; an empty string is zero.
    :return: the first byte is at least ``0x01`` and at most ``0x3f``.
    """
    significant = digits.lstrip(b"0")
    count = len(significant)
    if count < _MANY:
        return _COUNTS[count] + significant
    return b"\x3f" * (count // _MANY) + _COUNTS[count % _MANY] + significant
