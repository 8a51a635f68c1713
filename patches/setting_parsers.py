"""Parsers of the texts of settings: times, sizes, numbers, names; each returns the value or raises ``ValueError``."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from ipaddress import AddressValueError, IPv4Network, IPv6Address, IPv6Network, ip_network
from urllib.parse import urlsplit

from attrs import frozen

from patches.platforms import Platform

#: Networks of addresses; a single address is a network of one.
Networks = tuple[IPv4Network | IPv6Network, ...]

#: The host of a URL, as a literal IPv6 address or as a name, and perhaps a port.
_AUTHORITY = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|(?P<name>[^\[\]:@/\\]+))(?::[0-9]{1,5})?")
#: The reason to refuse a text that is not an endpoint.
NOT_AN_ENDPOINT = "must be an endpoint such as tcp:8080:interface=127.0.0.1"

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_SIZES = {"": 1, "b": 1, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "kb": 10**3, "mb": 10**6, "gb": 10**9}


def flag(text: str) -> bool:
    """Parse ``true`` or ``false``."""
    if text not in ("true", "false"):
        raise ValueError("must be true or false")
    return text == "true"


@frozen
class OneOf:
    """
    A parser that accepts one of several names.

    :ivar names: the names.
    """

    names: tuple[str, ...]

    def __call__(self, text: str) -> str:
        if text.strip() not in self.names:
            raise ValueError(f"must be one of {', '.join(self.names)}")
        return text.strip()


def one_of(*names: str) -> OneOf:
    """Return a parser that accepts one of these names."""
    return OneOf(names)


def seconds(text: str) -> timedelta:
    """Parse a time: a number of seconds, or one with its unit: ``500ms``, ``30s``, ``10m``, ``6h``, ``1d``."""
    return _duration(text, "s")


def minutes(text: str) -> timedelta:
    """Parse a time like :func:`seconds`; a number without a unit is in minutes."""
    return _duration(text, "m")


def _duration(text: str, unit: str) -> timedelta:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?", text.strip(), re.ASCII)
    if not found:
        raise ValueError("must be a time such as 30s, 10m or 6h")
    value = float(found[1]) * _UNITS[found[2] or unit]
    if not 1e-6 <= value <= 366 * 86400:
        raise ValueError("must be more than zero, and a year at most")
    return timedelta(seconds=value)


def size(text: str) -> int:
    """Parse a number of bytes: ``65536``, ``64KiB``, ``256MiB``."""
    found = re.fullmatch(r"(\d+)\s*([A-Za-z]*)", text.strip(), re.ASCII)
    if not found or found[2].lower() not in _SIZES:
        raise ValueError("must be a size such as 65536, 64KiB or 256MiB")
    return int(found[1]) * _SIZES[found[2].lower()]


def count(text: str) -> int:
    """Parse a whole number above zero."""
    if not re.fullmatch(r"0*[1-9][0-9]{0,17}", text.strip()):
        raise ValueError("must be a whole number, 1 or more")
    return int(text)


def count_up_to(most: int) -> Callable[[str], int]:
    """Return a parser of whole numbers above zero, up to a largest one."""

    def read(text: str) -> int:
        number = count(text)
        if number > most:
            raise ValueError(f"must be {most} or less")
        return number

    return read


def fraction(text: str) -> float:
    """Parse a fraction: ``10%``, ``0.1``."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(%?)", text.strip(), re.ASCII)
    value = float(found[1]) / (100 if found[2] else 1) if found else 2.0
    if value > 1:
        raise ValueError("must be a fraction such as 10% or 0.1, 100% at most")
    return value


def rate(text: str) -> float:
    """Parse a rate above zero, in requests per second."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise ValueError("must be a number of requests per second, more than zero")
    return value


def check_literal(url: str) -> None:
    """
    Check the literal IPv6 address of a URL, if its host is one.

    :raises ValueError: with the reason, if it cannot be connected to.
    """
    authority = url.strip().partition("://")[2].partition("/")[0].rpartition("@")[2]
    if not authority.startswith("["):
        if authority.count(":") > 1:
            raise ValueError("must have its IPv6 address in brackets, as in http://[2001:db8::1]:8080")
        return
    address = authority[1:].partition("]")[0]
    if "%" in address:
        raise ValueError("must have an IPv6 address without a zone (%), which has a meaning on one host only")
    try:
        IPv6Address(address)
    except AddressValueError:
        raise ValueError("has brackets without an IPv6 address in them") from None


def _is_authority(text: str) -> bool:
    """Return whether a text is a host, and perhaps a port, to which requests can be sent."""
    found = _AUTHORITY.fullmatch(text)
    if found is None or found["name"] is None:
        return found is not None
    try:
        return all(0 < len(label.encode("idna")) < 64 for label in found["name"].removesuffix(".").split("."))
    except UnicodeError:
        return False


def url(text: str) -> str:
    """Parse an ``http`` or ``https`` URL. Return it without a slash at its end."""
    check_literal(text)
    try:
        parts = urlsplit(text.strip())
        usable = parts.scheme in ("http", "https") and _is_authority(parts.netloc) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment or "@" in parts.netloc or re.search(r"[\s\x00-\x1f]", text.strip()):
        raise ValueError("must be http[s]://HOST[:PORT][/PATH], without user, query and fragment")
    return text.strip().rstrip("/")


def platform_names(text: str) -> tuple[str, ...]:
    """Parse platform names that are separated by commas."""
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise ValueError("must be platform names such as debian-12,ubuntu-24.04")
    return tuple(str(Platform.from_name(name)) for name in names)


def networks(text: str) -> Networks:
    """Parse addresses or networks that are separated by commas: ``10.0.0.7,fd00::/8``."""
    try:
        return tuple(ip_network(name.strip()) for name in text.split(","))
    except ValueError:
        raise ValueError("must be addresses or networks such as 10.0.0.7,192.168.0.0/16,fd00::/8") from None


def endpoint(text: str) -> str:
    """Parse a Twisted server endpoint string: ``tcp:8080:interface=127.0.0.1``; a number alone is a TCP port."""
    text = text.strip()
    if text.isdigit():
        text = f"tcp:{text}"
    kind, _, rest = text.partition(":")
    if not kind.isalnum() or not rest:
        raise ValueError(NOT_AN_ENDPOINT)
    return text
