"""
A server that sends whatever a scanner must survive: bombs, answers without end, lists that are not what they said.

Each case is sent to a real ``patches scan``, and some to the daemon too. The promise: at most 64 MiB resident,
exit code 3 (incomplete), no traceback, and an end within its time.
"""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

from attrs import frozen

from patches.vulnerability import FixedPackage, Vulnerability
from patches.wire import StreamDigest, digest, encode_line, rfc3339
from tests.chaos.attack import Outcome, program
from tests.chaos.measured import Measured, run_measured
from tests.chaos.peers.scripted_server import Request, ScriptedServer, chunk, document, response
from tests.integration.daemons import PATCHES, SCANNER
from tests.integration.sample_host import write_host

MOST_MIB = 64
INCOMPLETE = 3
PLATFORM = "debian-12"
#: Scans of these tests end sooner than others, so that whatever has no end of its own is seen to end by the timeout.
TIMEOUT = 12
MIB = 1 << 20

#: Returns the response to a request of a kind: ``open``, ``describe``, ``chunk``; ``None``: an honest one.
Case = Callable[["Hostile", str, Request], Iterable[bytes] | None]


@frozen
class Hostile:
    """
    The server of one case.

    :ivar body: the chunk of an honest list.
    """

    case: Case
    rng: Random
    body: bytes

    def answer(self, request: Request) -> Iterable[bytes]:
        """Return a response."""
        kind = "open" if request.method == "POST" else "chunk" if "/chunks/" in request.path else "describe"
        hostile = self.case(self, kind, request)
        if hostile is not None:
            return hostile
        if kind == "open":
            return [self.session()]
        if kind == "describe":
            return [document(200, {"session": "s", "snapshot": self.snapshot()})]
        if request.path.endswith("/0"):
            return [chunk(self.body)]
        return [document(200, {**self.snapshot(), "finished": True})]

    def snapshot(self, **changes: Any) -> dict[str, Any]:
        """Return the description of the honest list, with changes."""
        whole = StreamDigest()
        whole.add(digest(self.body))
        told = {"revision": "r1", "created": rfc3339(time.time()), "checked": rfc3339(time.time())}
        sizes = {"vulnerabilities": self.body.count(b"\n"), "chunks": 1, "bytes": len(self.body)}
        return {**told, **sizes, "digest": whole.hexdigest(), **changes}

    def session(self, **changes: Any) -> bytes:
        """Return that a session is open."""
        told = {"session": "s", "platform": PLATFORM, "state": "active"}
        return document(201, {**told, "snapshot": self.snapshot(**changes)})

    def queued(self) -> bytes:
        """Return that a session is queued."""
        return document(201, {"session": "s", "platform": PLATFORM, "state": "queued"})


def on(kind: str, make: Callable[[Hostile], Iterable[bytes]]) -> Case:
    """Return a case with a hostile response to requests of a kind; ``any`` for all."""
    return lambda server, asked, request: make(server) if kind in (asked, "any") else None


def _for_ever(start: bytes, piece: bytes) -> Iterator[bytes]:
    yield start
    while True:
        yield piece * max(1, 65536 // len(piece))


def _bomb(size: int, times: int = 1) -> bytes:
    packed = gzip.compress(bytes(size), 9)
    for _ in range(times - 1):
        packed = gzip.compress(packed, 9)
    return packed


def _drip(data: bytes, seconds: float = 1.0) -> Iterator[bytes]:
    for number in range(len(data)):
        yield data[number : number + 1]
        time.sleep(seconds)


def _gzip(body: bytes, coding: str = "gzip") -> bytes:
    return response(200, body, "application/x-ndjson", Content_Encoding=coding)


def _more(server: Hostile) -> Iterator[bytes]:
    yield chunk(server.body * (MIB // len(server.body)))


def _wait(asked: str) -> Case:
    def case(server: Hostile, kind: str, request: Request) -> Iterable[bytes] | None:
        if kind == "open":
            return [server.queued()]
        return [response(202, f'{{"state": "queued", "pollAfter": {asked}}}'.encode())]

    return case


def _undescribed(server: Hostile, kind: str, request: Request) -> Iterable[bytes] | None:
    if kind == "open":
        return [server.queued()]
    return [document(200, {"session": "s"})] if kind == "describe" else None


def _nothing(server: Hostile, kind: str, request: Request) -> Iterable[bytes] | None:
    told = {"vulnerabilities": 0, "chunks": 0, "bytes": 0, "digest": StreamDigest().hexdigest()}
    if kind == "open":
        return [server.session(**told)]
    return [document(200, {**server.snapshot(**told), "finished": True})]


def _head_says(**changes: Any) -> Case:
    def case(server: Hostile, kind: str, request: Request) -> Iterable[bytes] | None:
        if kind == "open":
            return [server.session(**changes)]
        return _more(server) if kind == "chunk" else None

    return case


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
DEEP = b"[" * 500_000

CASES: dict[str, Case] = {
    "gzip of zeros, as an answer": on("open", lambda s: [_gzip(_bomb(64 * MIB))]),
    "gzip of zeros, as a chunk": on("chunk", lambda s: [_gzip(_bomb(256 * MIB))]),
    "gzip, gzip": on("chunk", lambda s: [_gzip(_bomb(1024 * MIB, 2), "gzip, gzip")]),
    "gzip of gzip of gzip, named once": on("chunk", lambda s: [_gzip(_bomb(64 * MIB, 3))]),
    "gzip named twenty times": on("chunk", lambda s: [_gzip(_bomb(MIB, 3), ", ".join(["gzip"] * 20))]),
    "gzip in two fields": on("chunk", lambda s: [_gzip(_bomb(64 * MIB), "gzip\r\nContent-Encoding: gzip")]),
    "deflate": on("chunk", lambda s: [_gzip(b"x" * 100, "deflate")]),
    "a body without end": on("chunk", lambda s: _for_ever(OK + b"\r\n", b"x" * 65536)),
    "a chunked body without end": on("chunk", lambda s: _for_ever(CHUNKED, b"10000\r\n" + b"x" * 65536 + b"\r\n")),
    "header fields without end": on("any", lambda s: _for_ever(OK, b"X-a: b\r\n")),
    "a header line without end": on("any", lambda s: _for_ever(OK + b"X-a: ", b"b")),
    "a folded header line without end": on("any", lambda s: _for_ever(OK + b"X-a: b\r\n", b" b\r\n")),
    "a status line without end": on("any", lambda s: _for_ever(b"HTTP/1.1 200 ", b"b")),
    "1xx without end": on("any", lambda s: _for_ever(b"", b"HTTP/1.1 102 Processing\r\n\r\n")),
    "1xx with fields without end": on("any", lambda s: _for_ever(b"", b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n")),
    "trailers without end": on("chunk", lambda s: _for_ever(CHUNKED + b"1\r\nx\r\n0\r\n", b"X-a: b\r\n")),
    "a trailer line without end": on("chunk", lambda s: _for_ever(CHUNKED + b"1\r\nx\r\n0\r\nX: ", b"b")),
    "a chunk extension without end": on("chunk", lambda s: _for_ever(CHUNKED + b"1;x=", b"b")),
    "a chunk size without end": on("chunk", lambda s: _for_ever(CHUNKED, b"0")),
    "small chunks with extensions, without end": on(
        "chunk", lambda s: _for_ever(CHUNKED, b"1;" + b"x" * 900 + b"\r\ny\r\n")
    ),
    "202 without end": _wait("0.01"),
    "pollAfter 1e-9": _wait("1e-9"),
    "pollAfter -5": _wait("-5"),
    "pollAfter NaN": _wait("NaN"),
    "pollAfter 10^400": _wait("1" + "0" * 400),
    "pollAfter 10^5000": _wait("1" + "0" * 5000),
    "pollAfter 1e400": _wait("1e400"),
    "pollAfter true": _wait("true"),
    "pollAfter text": _wait('"soon"'),
    "Retry-After not UTF-8": on("open", lambda s: [response(503, b"", Retry_After="\xff\xfe")]),
    "Retry-After 10^400": on("open", lambda s: [response(503, b"", Retry_After="1" + "0" * 400)]),
    "Retry-After -5": on("open", lambda s: [response(503, b"", Retry_After="-5")]),
    "Retry-After in the year 9999": on(
        "open", lambda s: [response(503, b"", Retry_After="Fri, 31 Dec 9999 23:59:59 GMT")]
    ),
    "Retry-After 0 without end": on("any", lambda s: [response(503, b"", Retry_After="0")]),
    "10^12 chunks said": on("open", lambda s: [s.session(chunks=10**12)]),
    "10^15 records said": on("open", lambda s: [s.session(vulnerabilities=10**15)]),
    "10^400 records said": on("open", lambda s: [s.session(vulnerabilities=10**400)]),
    "-1 bytes said": on("open", lambda s: [s.session(bytes=-1)]),
    "1 record said, then 1 MiB for ever": _head_says(vulnerabilities=1),
    "1 chunk said, then 1 MiB for ever": _head_says(vulnerabilities=10**6, bytes=10**9),
    "1 byte said, then 1 MiB for ever": _head_says(vulnerabilities=10**6, chunks=1000, bytes=1),
    "a session of 1 MiB": on("open", lambda s: [s.session(x="x" * 1_000_000, chunks=10**9)]),
    "deep JSON as a session": on("open", lambda s: [response(201, DEEP)]),
    "deep JSON as an error": on("open", lambda s: [response(404, DEEP)]),
    "deep JSON as a record": on("chunk", lambda s: [chunk(b'{"a":' * 100_000 + b"\n")]),
    "deep JSON as the end": on("chunk", lambda s: [response(200, DEEP)]),
    "a record of 10^5000": on("chunk", lambda s: [chunk(b'{"name": 1' + b"0" * 5000 + b"}\n")]),
    "a byte a second": on("chunk", lambda s: _drip(chunk(s.body))),
    "a byte a second, from the first": on("any", lambda s: _drip(s.session())),
    "silence": on("any", lambda s: _drip(b"HT", 3600)),
    "another platform": on("open", lambda s: [document(201, {"session": "s", "platform": "alpine-3.20"})]),
    "no records": _nothing,
    "never described": _undescribed,
    "markup in messages": on("open", lambda s: [document(400, {"error": {"code": "[/b]", "message": "[/x] \x1b[2J"}})]),
    "texts that are no texts": on("open", lambda s: [s.session(revision=["r"], checked={"a": 1}, digest=5)]),
    "not HTTP": on("any", lambda s: _for_ever(b"", b"SSH-2.0-x\r\n")),
    "a redirect without end": on("any", lambda s: [response(302, b"", Location="/")]),
    "another digest": on(
        "chunk", lambda s: [chunk(s.body).replace(b"Repr-Digest: sha-256=:", b"Repr-Digest: sha-256=:A")]
    ),
}
#: Cases that the daemon is attacked with, too: one for each way in which memory or time could be lost.
DAEMON = (
    "gzip, gzip",
    "header fields without end",
    "1 record said, then 1 MiB for ever",
    "deep JSON as a record",
    "pollAfter 1e-9",
)


#: Bytes that a server sends before it is asked for anything, by the name of the case.
GREETINGS = {
    "speaks first, nonsense": b"\xff\xfe\xfd\r\n\r\n",
    "speaks first, a line without end": b"x" * 100_000,
    "speaks first, a response": document(200, {"unchanged": True}) * 3,
    "speaks first, SSH": b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
}
CASES.update(dict.fromkeys(GREETINGS, lambda server, kind, request: None))


def attack(rng: Random, folder: Path, cases: int = len(CASES), names: Sequence[str] | None = None) -> list[Outcome]:
    """Attack a scanner with each case, or with some of them."""
    chosen = list(names) if names is not None else rng.sample(sorted(CASES), min(cases, len(CASES)))
    root = write_host(folder / "host", "debian", "12", {"sudo": "1", "bash": "5"})
    return [_attacked(rng, folder / f"{number}", root, name) for number, name in enumerate(chosen)]


def attack_daemon(rng: Random, folder: Path, names: Iterable[str] = DAEMON) -> list[Outcome]:
    """Attack a daemon with cases: it reports that its scan is incomplete, and lives."""
    root = write_host(folder / "host", "debian", "12", {"sudo": "1", "bash": "5"})
    return [_daemon_attacked(rng, folder / f"{number}", root, name) for number, name in enumerate(names)]


def _hostile(rng: Random, name: str) -> Hostile:
    count = rng.randrange(5, 50)
    records = (Vulnerability(f"CVE-2024-{n:04}", PLATFORM, (FixedPackage("sudo", "2"),)) for n in range(count))
    return Hostile(CASES[name], rng, b"".join(map(encode_line, records)))


def _attacked(rng: Random, folder: Path, root: Path, name: str) -> Outcome:
    folder.mkdir(parents=True)
    with ScriptedServer(_hostile(rng, name).answer, GREETINGS.get(name, b"")) as server:
        command = [PATCHES, "scan", "--patches-server", server.url, "--root", root.resolve(), "--cache", "cache"]
        command += ["--timeout", f"{TIMEOUT}s", "--patience", "3s"]
        ran = run_measured(command, folder, TIMEOUT * 3)
    problems = list(_problems(ran))
    cached = [path.name for path in (folder / "cache").glob("*")]
    if cached:
        problems.append(f"cached: {cached}")
    return Outcome(
        f"scanner: resident ≤ {MOST_MIB} MiB, exit code 3: {name}",
        f"{server.requests} requests, {server.sent / MIB:.1f} MiB sent",
        f"{ran.peak_mib:.0f} MiB, exit code {ran.code}, {ran.seconds:.1f} s",
        not problems,
        tuple(problems),
    )


def _problems(ran: Measured) -> Iterator[str]:
    if ran.peak_mib > MOST_MIB:
        yield f"{ran.peak_mib:.0f} MiB"
    if ran.code != INCOMPLETE or "Traceback" in ran.output or "Unhandled" in ran.output or "\x1b" in ran.output:
        yield ran.output[-500:]
    if ran.seconds > TIMEOUT + 10:  # what a process needs to start and to end on a busy machine
        yield f"{ran.seconds:.1f} s"


def _daemon_attacked(rng: Random, folder: Path, root: Path, name: str) -> Outcome:
    reports: list[dict[str, Any]] = []
    hostile = _hostile(rng, name)

    def answer(request: Request) -> Iterable[bytes]:
        if request.path != "/reports":
            return hostile.answer(request)
        reports.append(json.loads(request.body)["scan"])
        return [document(200, {})]

    with ScriptedServer(answer) as server:
        command = [*SCANNER, "--patches-server", server.url]
        command += ["--root", root.resolve(), "--timeout", f"{TIMEOUT}s", "--patience", "3s", "--state-dir", "state"]
        command += ["--reporter", f"{server.url}/reports"]
        ran = run_measured(command, folder, TIMEOUT + 8)
    told = [report["verdict"] for report in reports]
    holds = ran.peak_mib <= MOST_MIB and told[:1] == ["incomplete"] and ran.code == -9 and "Traceback" not in ran.output
    return Outcome(
        f"daemon: resident ≤ {MOST_MIB} MiB, reports incomplete: {name}",
        f"{server.requests} requests",
        f"{ran.peak_mib:.0f} MiB, reported {told}",
        holds,
        () if holds else (ran.output[-500:],),
    )


def both(rng: Random, folder: Path, cases: int) -> list[Outcome]:
    """Attack a scanner, and a daemon with some of the cases."""
    return [*attack(rng, folder / "scan", cases), *attack_daemon(rng, folder / "daemon")]


if __name__ == "__main__":
    program(__doc__, both, cases=len(CASES))
