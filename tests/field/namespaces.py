"""
Namespaces of Linux, in which a program has a network, a host name and a firewall of its own.

Source: unshare(1), ip-link(8), nft(8).
"""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from unittest import SkipTest

#: The command before a program that may change its network and its host name, which nobody else sees.
OWN_NETWORK = ("unshare", "--user", "--map-root-user", "--net", "--uts")

_ROOT = Path(__file__).parent.parent.parent
#: The interfaces of a new namespace: its loopback, and what some kernels make for tunnels.
_NEW = frozenset(("lo", "sit0", "tunl0", "ip6tnl0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0"))


def run_program(module: str, *options: str, seconds: int = 300) -> str:
    """
    Run a program of this folder in namespaces of its own. Return what it printed.

    :raises SkipTest: if such namespaces cannot be made here, or the program lacks something.
    :raises AssertionError: if what is promised does not hold.
    """
    if not can_run(OWN_NETWORK):
        raise SkipTest("namespaces cannot be made here")
    command = [*OWN_NETWORK, sys.executable, "-m", module, *options]
    ran = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False, timeout=seconds)
    if ran.returncode == 77:
        raise SkipTest(ran.stdout.strip().removeprefix("skipped: "))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def can_run(prefix: Sequence[str]) -> bool:
    """Return whether a command can be run behind a prefix on this machine."""
    try:
        return subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def tool(*words: str) -> None:
    """
    Run a tool that changes the namespace.

    :raises SkipTest: if it is not installed.
    """
    try:
        ran = subprocess.run(words, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise SkipTest(f"{words[0]} is not installed") from error
    assert ran.returncode == 0, f"{' '.join(words)}: {ran.stderr}"


def start_network() -> None:
    """
    Start the loopback of this namespace.

    :raises SkipTest: if this process has no namespace of its own.
    """
    if not {name for _, name in socket.if_nameindex()} <= _NEW:
        raise SkipTest(f"run it behind {' '.join(OWN_NETWORK)}")
    tool("ip", "link", "set", "lo", "up")


@contextmanager
def dropped(port: int) -> Iterator[None]:
    """Drop every packet from and to a port until the block ends, as a firewall does that has forgotten a connection."""
    tool("nft", "add", "table", "inet", "field")
    tool("nft", "add", "chain", "inet", "field", "in", "{ type filter hook input priority 0; }")
    for side in ("sport", "dport"):
        tool("nft", "add", "rule", "inet", "field", "in", "tcp", side, str(port), "drop")
    try:
        yield
    finally:
        tool("nft", "delete", "table", "inet", "field")


class Forwarder:
    """A port on all addresses whose connections go on to a port of loopback."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._socket = socket.create_server(("", 0), backlog=64)
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._socket.accept()
                far = socket.create_connection(("127.0.0.1", self._to))
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._copy, args=(one, other), daemon=True).start()

    @staticmethod
    def _copy(one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
        with suppress(OSError):
            other.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close the port."""
        self._socket.close()
