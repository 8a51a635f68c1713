"""
The loopback address on which the integration tests run: ``127.0.0.1``, or ``::1`` with ``TEST_LOOPBACK=::1``.

Every daemon and double then listens on ``::1`` alone, and every URL has a literal IPv6 address.
"""

from __future__ import annotations

import os
import socket
from contextlib import closing

LOOPBACK = os.environ.get("TEST_LOOPBACK", "127.0.0.1")
IS_IPV6 = ":" in LOOPBACK
FAMILY = socket.AF_INET6 if IS_IPV6 else socket.AF_INET
#: The address as the host of a URL, and as an argument of an endpoint string.
URL_HOST = f"[{LOOPBACK}]" if IS_IPV6 else LOOPBACK
INTERFACE = LOOPBACK.replace(":", "\\:")


def has_ipv6() -> bool:
    """Return whether this machine has ``::1``."""
    try:
        with closing(socket.create_server(("::1", 0), family=socket.AF_INET6)):
            return True
    except OSError:
        return False


def endpoint(port: int = 0, kind: str = "tcp", more: str = "") -> str:
    """Return the string of an endpoint on loopback."""
    own = "tcp6" if IS_IPV6 and kind == "tcp" else kind.replace("haproxy:tcp", "haproxy:tcp6") if IS_IPV6 else kind
    return f"{own}:{port}:interface={INTERFACE}{more}"
