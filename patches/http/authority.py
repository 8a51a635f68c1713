"""The authority of a request: its host, and the port, in ``Host`` or in an absolute form of its target."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address

#: ``uri-host [ ":" port ]`` (RFC 9110 section 7.2), with the parts of RFC 3986 sections 3.2.2 and 3.2.3. There is no
#: user (RFC 9110 section 4.2.4).
_AUTHORITY = re.compile(
    rb"""
    (?: \[ (?: (?P<ipv6> [0-9A-Fa-f:.]+ ) | [vV][0-9A-Fa-f]+ \. [A-Za-z0-9._~!$&'()*+,;=:-]+ ) \]
      | (?: [A-Za-z0-9._~!$&'()*+,;=-] | %[0-9A-Fa-f]{2} )+ )
    (?: : (?P<port> [0-9]* ) )?
    """,
    re.VERBOSE,
)
#: Ports of TCP have 16 bits (RFC 9293 section 3.1).
_PORTS = 1 << 16


@lru_cache(maxsize=256)
def is_authority(text: bytes) -> bool:
    """Return whether bytes are a host, and perhaps a port; the host must not be empty (RFC 9110 section 4.2.1)."""
    found = _AUTHORITY.fullmatch(text)
    if found is None or len((found["port"] or b"").lstrip(b"0")) > 5 or int(found["port"] or b"0") >= _PORTS:
        return False
    return found["ipv6"] is None or _is_ipv6(found["ipv6"])


def is_host_field(value: bytes) -> bool:
    """Return whether bytes are a value of ``Host``: empty, if the target has no authority (RFC 9112 section 3.2)."""
    return not value or is_authority(value)


def _is_ipv6(text: bytes) -> bool:
    try:
        IPv6Address(text.decode("ascii"))
    except AddressValueError:
        return False
    return True
