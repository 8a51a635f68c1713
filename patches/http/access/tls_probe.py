"""
The question whether a port speaks TLS: a ClientHello, which any server of TLS answers with a record, if only an alert.

It needs no library of TLS, as nothing is encrypted, and the connection is closed after the first byte.
"""

from __future__ import annotations

import os
from ipaddress import ip_address
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from patches.http.client_hello import is_record
from patches.http.connection_pool import QuietEndpoint

#: TLS 1.3, and those of TLS 1.2 with forward secrecy, as RFC 9325 section 4.2 recommends them.
_CIPHERS = ("1301", "1302", "1303", "c02b", "c02f", "c02c", "c030", "cca9", "cca8")
#: x25519, and the curves P-256 and P-384.
_GROUPS = ("001d", "0017", "0018")
#: ECDSA, RSA-PSS and RSA with SHA-256, SHA-384 and SHA-512.
_SIGNATURES = ("0403", "0804", "0401", "0503", "0805", "0501", "0603", "0806", "0601")
_VERSIONS = ("0304", "0303")


def client_hello(host: str) -> bytes:
    """
    Return a record with a ClientHello for TLS 1.3 or 1.2 (RFC 8446 sections 4.1.2, 4.2 and 5.1).

    It has no key share: a server of TLS 1.3 asks for one, which is an answer as well.

    :param host: named to the server, unless it is an address (RFC 6066 section 3).
    """
    extensions = [
        (0x000A, _sized(_numbers(_GROUPS), 2)),
        (0x000D, _sized(_numbers(_SIGNATURES), 2)),
        (0x002B, _sized(_numbers(_VERSIONS), 1)),
        (0x0033, _sized(b"", 2)),
    ]
    if not _is_address(host):
        extensions.insert(0, (0x0000, _sized(b"\0" + _sized(host.encode("ascii"), 2), 2)))
    body = b"\x03\x03" + os.urandom(32) + _sized(os.urandom(32), 1) + _sized(_numbers(_CIPHERS), 2) + _sized(b"\0", 1)
    body += _sized(b"".join(kind.to_bytes(2, "big") + _sized(value, 2) for kind, value in extensions), 2)
    return b"\x16\x03\x01" + _sized(b"\x01" + _sized(body, 3), 2)


async def speaks_tls(endpoint: IStreamClientEndpoint, host: str) -> bool:
    """
    Return whether a server answers a ClientHello with a record of TLS.

    :param endpoint: connects to it, and encrypts nothing.
    """
    connecting: Deferred[Any] = QuietEndpoint(endpoint).connect(Factory.forProtocol(lambda: _Probe(client_hello(host))))
    return bool(await (await connecting).answered)


class _Probe(Protocol):
    """
    Sends bytes, and looks at the first one that is received.

    ``answered`` fires with whether it begins a record; cancelling it closes the connection.
    """

    def __init__(self, hello: bytes) -> None:
        self._hello = hello
        self._is_over = False
        self.answered: Deferred[bool] = Deferred(lambda _: self._abort())

    def connectionMade(self) -> None:
        """Send the bytes."""
        transport: Any = self.transport
        transport.write(self._hello)

    def dataReceived(self, data: bytes) -> None:
        """Read the first byte, and close the connection."""
        if not self._is_over:
            self._abort()
            self.answered.callback(is_record(data))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Take a connection that is closed without a word for no answer."""
        if not self._is_over:
            self._is_over = True
            self.answered.callback(False)

    def _abort(self) -> None:
        self._is_over = True
        transport: Any = self.transport
        transport.abortConnection()


def _sized(value: bytes, octets: int) -> bytes:
    """Return a vector: its length, then what it has (RFC 8446 section 3.4)."""
    return len(value).to_bytes(octets, "big") + value


def _numbers(texts: tuple[str, ...]) -> bytes:
    return bytes.fromhex("".join(texts))


def _is_address(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
