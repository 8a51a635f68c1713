"""Peers on loopback that are slow, or silent: what the states in which a daemon waits for somebody need."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

from tests.integration.daemons import wait_for

#: An address on loopback where nobody else has a name server.
_DNS = "127.99.9.9"
#: Runs a program that asks the name server of a file, and no other; the program keeps its number.
_OWN_DNS = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'


class SilentDns:
    """A name server that never answers."""

    def __init__(self, folder: Path) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((_DNS, 53))
        self._conf = folder / "resolv.conf"
        self._conf.write_text(f"nameserver {_DNS}\n")

    def command(self, words: list[str]) -> list[str]:
        """Return a command for a program that asks this name server."""
        return ["unshare", "--mount", "sh", "-c", _OWN_DNS, str(self._conf), *words]

    def wait_until_asked(self) -> None:
        """Wait until somebody has asked."""
        self.socket.settimeout(30)
        self.socket.recv(512)

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()


class FullBacklog:
    """
    A port whose queue of connections is full: attempts to connect are never answered.

    :param address: an address on loopback.
    :param port: the port; 0: any free one.
    """

    def __init__(self, address: str = "127.0.0.1", port: int = 0) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._socket = socket.create_server((address, port), family=family, backlog=0)
        self.port: int = self._socket.getsockname()[1]
        self._others = [socket.socket(family) for _ in range(4)]
        for other in self._others:
            other.setblocking(False)
            other.connect_ex((address, self.port))
        self._before = self._attempts()

    def _attempts(self) -> int:
        """Return how many attempts to connect to the port are not answered; 02 is SYN_SENT, see proc_net_tcp(5)."""
        lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
        return sum(line.split()[2:4] == [f"0100007F:{self.port:04X}", "02"] for line in lines)

    def wait_until_tried(self) -> None:
        """Wait until somebody tries to connect."""
        wait_for(lambda: self._attempts() > self._before, 30)

    def close(self) -> None:
        """Close the sockets."""
        for each in (self._socket, *self._others):
            each.close()


class DrippingRelay:
    """
    A relay to another port, which passes on the first bytes of each connection at once, and the others slowly.

    :ivar dripped: the bytes that were passed on slowly.
    """

    def __init__(self, port: int, at_once: int) -> None:
        self._to, self._at_once, self.dripped = port, at_once, 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                here, _ = self._socket.accept()
                there = socket.create_connection(("127.0.0.1", self._to))
                threading.Thread(target=self._pass_on, args=(here, there, None), daemon=True).start()
                threading.Thread(target=self._pass_on, args=(there, here, self._at_once), daemon=True).start()

    def _pass_on(self, receiver: socket.socket, sender: socket.socket, at_once: int | None) -> None:
        with suppress(OSError):
            while data := receiver.recv(65536 if at_once is None or at_once > 0 else 1):
                sender.sendall(data)
                if at_once is None:
                    continue
                at_once -= len(data)
                if at_once <= 0:
                    self.dripped += len(data)
                    time.sleep(0.05)
        for each in (receiver, sender):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Accept no further connection."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
