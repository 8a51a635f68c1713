"""
Thousands of TLS connections one after the other, and many at once, in every way in which one can end.

What a connection was granted must be released, whether it was closed properly, hung up on, or never shook hands; the
memory stays below the limit, and honest requests are answered.
"""

from __future__ import annotations

import socket
import ssl
import struct
import time
from contextlib import suppress
from pathlib import Path
from random import Random

from tests.chaos.attack import Outcome, program
from tests.chaos.certificates import trusting, write_certificate
from tests.chaos.watch import Watch, allow_sockets
from tests.integration.daemons import Daemon
from tests.integration.sample_lists import write_list

#: Ways in which a connection ends.
ENDINGS = ("closed", "unwrapped", "reset", "no handshake", "half a handshake", "plain", "half a request")
_REQUEST = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"

#: The endings of connections that never shake hands, and what is sent over them.
_WITHOUT_TLS = {
    "no handshake": b"",
    "half a handshake": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
    "plain": _REQUEST,
}


def connect(port: int) -> ssl.SSLSocket:
    """Connect, and shake hands."""
    return trusting().wrap_socket(socket.create_connection(("127.0.0.1", port), 20))


def ask(connection: socket.socket) -> int:
    """Ask whether the server is alive. Return the status; 0 if it hung up."""
    connection.sendall(_REQUEST)
    answer = connection.recv(4096)
    return int(answer[9:12]) if answer else 0


def end_one(port: int, ending: str) -> int:
    """Open a connection, and end it in a way. Return the status of its response; -1 if it did not ask."""
    if ending in _WITHOUT_TLS:
        with socket.create_connection(("127.0.0.1", port), 20) as plain:
            plain.sendall(
                {"plain": _REQUEST, "half a handshake": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc"}.get(ending, b"")
            )
        return -1
    connection = connect(port)
    try:
        if ending == "half a request":
            connection.sendall(_REQUEST[:20])
            return -1
        status = ask(connection)
        if ending == "unwrapped":
            with suppress(OSError):
                connection.unwrap()
        if ending == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return status
    finally:
        connection.close()


def many_at_once(port: int, count: int) -> dict[int, int]:
    """Hold many connections, and ask on each. Return how many got which status; 0: it was hung up on."""
    held, statuses = [], {200: 0, 503: 0, 0: 0}
    for _ in range(count):
        try:
            held.append(connect(port))
        except OSError:  # refused before the handshake was done
            statuses[0] += 1
    for each in held:
        try:
            statuses[ask(each)] += 1
        except OSError:
            statuses[0] += 1
        each.close()
    return statuses


def half_hello(random: Random) -> bytes:
    """Return the beginning of a handshake that announces more than it has, in records and messages of any length."""
    message, record = random.choice(((65_532, 16_384), (8_192, 8_196), (500, 504), (131_000, 200), (8_192, 300)))
    sent = random.choice((0, 2, 100, record // 2, record - 10))
    return b"\x16\x03\x01" + record.to_bytes(2, "big") + b"\x01" + message.to_bytes(3, "big") + b"\x03" * max(0, sent)


def half_handshakes(port: int, random: Random, count: int) -> list[socket.socket]:
    """Open many connections that stop within the handshake."""
    held = []
    for _ in range(count):
        with suppress(OSError):
            connection = socket.create_connection(("127.0.0.1", port), 5)
            connection.sendall(half_hello(random))
            held.append(connection)
    return held


def attack(random: Random, folder: Path, connections: int = 2_500, at_once: int = 1_500, limit: int = 160) -> Outcome:
    """
    Open connections one after the other, then many at once, then as many that stop within the handshake.

    :param limit: the memory limit, in MiB.
    """
    path = write_list(folder / "list.ndjson", 2_000)
    endings = write_certificate(folder)
    options = ("--list", str(path), "--memory-limit", f"{limit}MiB")
    server = Daemon("patches-server", folder / "server", *options).start(kind="ssl", more=endings)
    statuses: dict[int, int] = {}
    try:
        with Watch(server) as watch:
            for _ in range(connections):
                status = end_one(server.port, random.choice(ENDINGS))
                statuses[status] = statuses.get(status, 0) + 1
            one_by_one = watch.peak_mib
            answered = many_at_once(server.port, allow_sockets(at_once))
            halves = half_handshakes(server.port, random, allow_sockets(at_once))
            time.sleep(1)
            for half in halves:
                half.close()
            time.sleep(5)
            last = [end_one(server.port, "closed") for _ in range(20)]
        assert "Traceback" not in server.text(), server.text()[-2000:]
    finally:
        server.stop()
    bad = {status for status in statuses if status not in (-1, 200)}
    return Outcome(
        f"server over TLS: resident ≤ {limit} MiB, no connection lost from the budget",
        f"{connections:,} connections one after the other in {len(ENDINGS)} ways, then {at_once:,} at once, twice",
        f"{watch.peak_mib:.0f} MiB, {len(bad)} kinds of wrong answers",
        watch.peak_mib <= limit and not bad and set(last) == {200},
        (
            f"answers one after the other: {dict(sorted(statuses.items()))} (-1: none asked for)",
            f"peak one after the other: {one_by_one:.0f} MiB; answers at once: {answered}; afterwards {set(last)}",
        ),
    )


if __name__ == "__main__":
    program(__doc__, attack, connections=2_500, at_once=1_500, limit=160)
