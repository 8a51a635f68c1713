"""
The host's network: notice of addresses, links and routes that come.

Source: netlink(7), rtnetlink(7): the kernel tells every process that asks, without any right.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from typing import Any

from twisted.application.service import Service
from twisted.internet.interfaces import IReadDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

log = Logger()

#: RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV4_ROUTE, RTMGRP_IPV6_IFADDR, RTMGRP_IPV6_ROUTE.
_GROUPS = 0x1 | 0x10 | 0x40 | 0x100 | 0x400
_NEW_LINK, _NEW_ADDRESS, _NEW_ROUTE = 16, 20, 24
_LOOPBACK, _RUNNING = 0x8, 0x40
_HEADER = struct.Struct("=IHHII")  # struct nlmsghdr: length, type, flags, sequence, port
_LINK = struct.Struct("=BxHiII")  # struct ifinfomsg: family, type, index, flags, change
_MOST_BYTES = 64 * 1024

#: How long more messages are waited for, in seconds: a network comes with many.
SETTLE_SECONDS = 1.0


def messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the type and the content of each message that the kernel sent."""
    while len(data) >= _HEADER.size:
        length, kind, *_ = _HEADER.unpack_from(data)
        if not _HEADER.size <= length <= len(data):
            return
        yield kind, data[_HEADER.size : length]
        data = data[(length + 3) & ~3 :]


def brings_network(kind: int, content: bytes) -> bool:
    """Return whether a message is about an address or a route that came, or a link that is connected."""
    if kind in (_NEW_ADDRESS, _NEW_ROUTE):
        return True
    if kind != _NEW_LINK or len(content) < _LINK.size:
        return False
    flags = _LINK.unpack_from(content)[3]
    return bool(flags & _RUNNING) and not flags & _LOOPBACK


def open_messages() -> socket.socket:
    """
    Open a socket with the kernel's messages about the network.

    :raises OSError: if this kernel, or a policy, does not allow it.
    """
    found = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
    found.setblocking(False)
    found.bind((0, _GROUPS))
    return found


@implementer(IReadDescriptor)
class NetworkService(Service):
    """
    Calls a function when a network has come, once for each series of changes.

    :param reactor: it watches the socket.
    :param came: called a second after the first message of a series.
    :param connect: opens the socket.
    """

    def __init__(
        self, reactor: Any, came: Callable[[], None], connect: Callable[[], socket.socket] = open_messages
    ) -> None:
        self._reactor = reactor
        self._came = came
        self._connect = connect
        self._socket: socket.socket | None = None
        self._settling: Any = None

    def startService(self) -> None:
        """Watch from now on; where that is not possible, say so: pauses then end by themselves."""
        super().startService()
        try:
            self._socket = self._connect()
        except OSError as error:
            log.info("Changes of the network are not noticed: {why}", why=error.strerror or error)
            return
        self._reactor.addReader(self)

    def stopService(self) -> None:
        """Close the socket."""
        super().stopService()
        self.connectionLost()
        if self._settling is not None:
            self._settling.cancel()
            self._settling = None

    def fileno(self) -> int:
        """Return the socket's descriptor."""
        return -1 if self._socket is None else self._socket.fileno()

    def logPrefix(self) -> str:
        """Return the name of this reader in the reactor's log."""
        return "network"

    def doRead(self) -> None:
        """Read the messages that are there; if the kernel dropped some, it is as if one had brought a network."""
        try:
            found = self._socket is not None and any(
                brings_network(kind, content) for kind, content in messages(self._socket.recv(_MOST_BYTES))
            )
        except BlockingIOError:
            return
        except OSError:  # ENOBUFS
            found = True
        if found and self._settling is None:
            self._settling = self._reactor.callLater(SETTLE_SECONDS, self._tell)

    def _tell(self) -> None:
        self._settling = None
        self._came()

    def connectionLost(self, reason: Failure | None = None) -> None:
        """Close the socket, also if the reactor ends."""
        if self._socket is not None:
            self._reactor.removeReader(self)
            self._socket.close()
            self._socket = None
