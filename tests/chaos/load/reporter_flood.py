"""
Floods of a reporter: bodies of nothing, half bodies, connections, deep and long JSON, while an honest host reports.

Each flood is sent to a reporter of its own; what counts is its peak resident memory, and that an honest report is
accepted meanwhile.
"""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import threading
import zlib
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from random import Random

from patches.service.daemon import allow_open_files
from tests.chaos.attack import Outcome, program
from tests.integration.daemons import Daemon, wait_for

MIB = 1024 * 1024
LIMIT_MIB = 256
#: The body of five posts that filled 1.3 GiB.
BODY_MIB = 16


def honest_report(host: str, number: int, findings: int = 3) -> bytes:
    """Return a report as a scanner sends it."""
    times = {"started": "2026-01-01T00:00:00Z", "finished": "2026-01-01T00:00:02Z"}
    package = {"name": "sudo", "version": "1.9.13p3-1", "kind": "source", "status": "fixed"}
    records = [
        {
            "name": f"CVE-2024-{each + 10000}",
            "affectedPlatform": "debian-12",
            "detailsHref": f"https://security-tracker.debian.org/tracker/CVE-2024-{each + 10000}",
            "severityRating": 3,
            "fixedInPackages": [package],
            "aliases": [],
            "source": "debian-tracker",
            "installed": {"name": "sudo", "version": "1", "arch": "amd64", "source": "sudo", "sourceVersion": "1"},
        }
        for each in range(findings)
    ]
    scan = {"id": f"{host}-{number}", "number": number, "complete": True, "served": 9, "findings": findings, **times}
    return json.dumps({"vulnerabilities": records, "host": host, "platform": "debian-12", "scan": scan}).encode()


class Flooded:
    """A reporter under a flood, and an honest host that reports to it the whole time."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.daemon = Daemon("patches-reporter", folder, *options).start()
        self.start_mib = self.daemon.peak_mib()
        self.answers: list[int] = []
        self._over = threading.Event()
        self._honest = threading.Thread(target=self._report)
        self._honest.start()

    def _report(self) -> None:
        number = 0
        while not self._over.wait(0.2):
            number += 1
            try:
                self.answers.append(self.post(honest_report("honest", number)))
            except OSError:
                self.answers.append(0)

    def post(self, body: bytes, **fields: str) -> int:
        """Post a report. Return the status of the response."""
        connection = http.client.HTTPConnection("127.0.0.1", self.daemon.port, timeout=60)
        try:
            named = {name.replace("_", "-"): value for name, value in fields.items()}
            connection.request("POST", "/v1/reports", body, {"Content-Type": "application/json", **named})
            return connection.getresponse().status
        finally:
            connection.close()

    def connect(self, stack: ExitStack) -> socket.socket:
        """Open a connection that lasts as long as the flood."""
        made = socket.create_connection(("127.0.0.1", self.daemon.port), 30)
        return stack.enter_context(made)

    def end(self, what: str, more: tuple[str, ...] = ()) -> Outcome:
        """Stop the reporter. Return what was seen."""
        before = len(self.answers)
        try:
            wait_for(lambda: len(self.answers) >= before + 3, 60)
            peak = self.daemon.peak_mib()
        finally:
            self._over.set()
            self._honest.join()
            self.daemon.stop()
        accepted = self.answers.count(200)
        holds = peak <= LIMIT_MIB and accepted == len(self.answers) and "Traceback" not in self.daemon.text()
        return Outcome(
            f"reporter: resident ≤ {LIMIT_MIB} MiB, honest reports accepted",
            what,
            f"{peak:.0f} MiB, {accepted} of {len(self.answers)} accepted",
            holds,
            (f"{self.start_mib:.0f} MiB at the start", *more),
        )


def _tell(flooded: Flooded, bodies: list[bytes], **fields: str) -> tuple[str, ...]:
    """Post bodies at once. Return the statuses of their responses."""
    told: list[int] = []

    def post(body: bytes) -> None:
        try:
            told.append(flooded.post(body, **fields))
        except OSError:
            told.append(0)

    threads = [threading.Thread(target=post, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return (f"answered {sorted(told)}",)


def _of_records(record: bytes, size: int, tail: bytes = b"") -> bytes:
    return b'{"vulnerabilities":[' + record * (size // len(record)) + record[:-1] + b"]" + tail + b"}"


def bodies_of_nothing(flooded: Flooded, random: Random, mib: int) -> Outcome:
    """Post five bodies of ``{},`` and five of the same in an identified report."""
    size = mib * MIB - 2000
    claims = b',"host":"h","platform":"debian-12","scan":{}'
    bodies = [_of_records(b"{},", size), _of_records(b"{},", size, claims)]
    more = [line for body in bodies for line in _tell(flooded, [body] * 5)]
    return flooded.end(f"twice five bodies of {mib} MiB of {{}},", tuple(more))


def half_bodies(flooded: Flooded, random: Random, count: int, mib: int) -> Outcome:
    """Hold bodies that never end, with a length and in chunks, and a form that nobody asked for."""
    filling = b" " * (mib * MIB - 1000)
    with ExitStack() as stack:
        for number in range(count):
            made = flooded.connect(stack)
            kind = b"application/x-www-form-urlencoded" if random.random() < 0.2 else b"application/json"
            head = b"POST /v1/reports HTTP/1.1\r\nHost: x\r\nContent-Type: " + kind + b"\r\n"
            try:
                if number % 2:
                    made.sendall(head + b"Content-Length: %d\r\n\r\n{" % (mib * MIB) + filling)
                else:
                    made.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(filling) + filling)
            except OSError:
                continue  # it was turned away
        return flooded.end(f"{count} half bodies of {mib} MiB")


def connections(flooded: Flooded, random: Random, count: int) -> Outcome:
    """Open connections, some silent, some with half of a head, some with as many header fields as are taken."""
    allow_open_files(count + 100)
    heads = (b"", b"POST /v1/reports HTTP/1.1\r\nHost: x\r\n", b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 490)
    with ExitStack() as stack:
        for _ in range(count):
            made = flooded.connect(stack)
            try:
                made.sendall(random.choice(heads))
            except OSError:
                continue
        return flooded.end(f"{count} connections")


def odd_json(flooded: Flooded, random: Random, mib: int) -> Outcome:
    """Post JSON that is deep, has one long string, many members, long numbers, or is not JSON at its end."""
    size = mib * MIB - 2000
    deep = b"[" * size
    bodies = [
        deep,
        b'{"a":' * (size // 5),
        b'{"vulnerabilities":[' + deep,
        b'{"host":"' + b"x" * size + b'"}',
        b'{"vulnerabilities":[{"name":"' + b"\\u0041" * (size // 6) + b'"}]}',
        b"{" + b",".join(b'"%d":0' % number for number in range(size // 12)) + b"}",
        b'{"vulnerabilities":[{"name":' + b"9" * size + b"}]}",
        _of_records(b'[[[{"a":[]}]]],', size)[:-1],
    ]
    random.shuffle(bodies)
    return flooded.end(f"{len(bodies)} odd bodies of {mib} MiB", _tell(flooded, bodies))


def large_reports(flooded: Flooded, random: Random, findings: int) -> Outcome:
    """Post legitimate reports that are large, at once, compressed as the scanner does it, and read one."""
    bodies = [honest_report(f"large-{number}", 1, findings) for number in range(3)]
    packed = [gzip.compress(body, 1) for body in bodies]
    sizes = f"{len(bodies[0]) / MIB:.1f} MiB, compressed {len(packed[0]) / MIB:.1f} MiB"
    told = _tell(flooded, packed, Content_Encoding="gzip")
    shown = flooded.daemon.ask("/v1/hosts/large-0/findings")[1]
    more = (f"each of {findings} findings, {sizes}", *told, f"{len(shown.get('vulnerabilities', ()))} findings read")
    return flooded.end(f"{len(bodies)} large reports", more)


def bombs(flooded: Flooded, random: Random, mib: int) -> Outcome:
    """Post small bodies that are large when they are unpacked: blanks, one string, nothing, and no gzip at all."""
    size = 64 * mib * MIB
    parts = ((b" ", b""), (b'{"host":"', b"x"), (b'{"vulnerabilities":[', b"{},"), (b"[", b"["))
    bodies = []
    for start, filling in parts:
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        block = (filling or b" ") * MIB
        made = packer.compress(start) + b"".join(packer.compress(block) for _ in range(size // len(block)))
        bodies.append(made + packer.flush())
    bodies += [b"\x1f\x8b" + random.randbytes(1000), bodies[0][:1000]]
    sizes = ", ".join(f"{len(body) / MIB:.1f}" for body in bodies[:4])
    more = (f"bodies of {sizes} MiB", *_tell(flooded, bodies, Content_Encoding="gzip"))
    return flooded.end(f"{len(bodies)} bodies of {size // MIB} MiB unpacked", more)


def attack(
    random: Random, folder: Path, body_mib: int, half_bodies_count: int, connection_count: int, findings: int
) -> list[Outcome]:
    """Make each flood against a reporter of its own."""
    floods: tuple[Callable[[Flooded], Outcome], ...] = (
        lambda flooded: bodies_of_nothing(flooded, random, body_mib),
        lambda flooded: half_bodies(flooded, random, half_bodies_count, body_mib),
        lambda flooded: connections(flooded, random, connection_count),
        lambda flooded: odd_json(flooded, random, body_mib),
        lambda flooded: large_reports(flooded, random, findings),
        lambda flooded: bombs(flooded, random, body_mib),
    )
    return [flood(Flooded(folder / str(number))) for number, flood in enumerate(floods)]


if __name__ == "__main__":
    program(__doc__, attack, body_mib=BODY_MIB, half_bodies_count=60, connection_count=2000, findings=125_000)
