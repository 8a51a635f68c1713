"""
The guard of TLS handshakes: OpenSSL makes room for a whole handshake message once it has read how long that will be.

A few bytes that announce 64 KiB would hold as much for each connection. So the first bytes of a connection are looked
at before OpenSSL sees them (RFC 8446 sections 4 and 5.1): a record, whose first message is a ClientHello of usual
length.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: The longest ClientHello: those of browsers, with a key share that resists quantum computers, have some 2 KiB.
LONGEST_HELLO = 8 * 1024
#: A record's type, version and length, and a message's type and length.
_HEAD = 9
_HANDSHAKE, _CLIENT_HELLO = 22, 1
#: The types of records (RFC 8446 section 5.1): no method of HTTP begins with one of these bytes.
_RECORDS = frozenset((20, 21, _HANDSHAKE, 23))


def is_record(head: bytes) -> bool:
    """Return whether bytes begin a record of TLS."""
    return head[:1] != b"" and head[0] in _RECORDS


def is_hello(head: bytes) -> bool:
    """Return whether these nine bytes begin a ClientHello that is not too long."""
    record, message = int.from_bytes(head[3:5], "big"), int.from_bytes(head[6:9], "big")
    is_short = message <= LONGEST_HELLO and record <= LONGEST_HELLO + 4
    return head[0] == _HANDSHAKE and head[5] == _CLIENT_HELLO and is_short


def guard_handshake(tls: Any, refuse: Callable[[], None], answer_plain: Callable[[], None] | None = None) -> None:
    """
    Check the first bytes that a connection receives before its TLS does.

    :param tls: Twisted's protocol that encrypts a connection.
    :param refuse: called instead of reading on, if they are no ClientHello, or announce a long one.
    :param answer_plain: called instead, if they are no TLS at all; what follows is discarded then.
    """
    head = b""

    def check_first(data: bytes) -> None:
        nonlocal head
        head += data[: _HEAD - len(head)]
        if len(head) == _HEAD:
            forget_guard(tls)
            if answer_plain is not None and not is_record(head):
                tls.dataReceived = _discard
                answer_plain()
                return
            if not is_hello(head):
                refuse()
                return
        receive(data)

    receive = tls.dataReceived
    tls.dataReceived = check_first


def _discard(data: bytes) -> None:
    """Ignore what a client sends that has its answer."""


def forget_guard(tls: Any) -> None:
    """Remove the guard of a connection; without effect if it has none."""
    vars(tls).pop("dataReceived", None)


def tls_below(transport: Any) -> Any:
    """Return the protocol that encrypts a connection, of the transports that wrap each other; ``None``: none does."""
    while transport is not None:
        # Looked up in the objects themselves: a wrapper may have all attributes of what it wraps.
        own = getattr(transport, "__dict__", {})
        if "_tlsConnection" in own:
            return transport
        transport = own.get("transport")
    return None
