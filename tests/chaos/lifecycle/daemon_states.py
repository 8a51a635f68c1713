"""The states in which a daemon can be when it is stopped; each function brings a daemon into one of them."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from random import Random
from subprocess import Popen

from attrs import define, field

from patches.scanner.output.exit_codes import FINDINGS, INTERRUPTED
from tests import processes
from tests.chaos.lifecycle.slow_peers import DrippingRelay, FullBacklog, SilentDns
from tests.chaos.load.reporter_flood import honest_report
from tests.chaos.peers.scripted_server import Answer, Request, ScriptedServer, document
from tests.integration.daemons import PATCHES, SCANNER, Daemon, wait_for
from tests.integration.readers import Client, NeverReads
from tests.integration.sample_host import write_host
from tests.integration.sample_lists import write_list

#: The command that scans once.
COMMAND = "patches scan"
_PLATFORM = "debian-12"
#: A list that takes seconds to be read and published, and one that takes none.
_LONG, _SHORT = 60_000, 2_000


@define(eq=False)
class Scene:
    """
    A daemon, and the peers that it has.

    :ivar is_command: whether scans are made by the command, and not by the daemon.
    :ivar subject: the process that is stopped.
    :ivar server: a server that must have one session less afterwards; ``None``: there is none.
    :ivar open_sessions: the open sessions of a scripted server.
    :ivar code: the exit code with which the process must end.
    """

    folder: Path
    rng: Random
    is_command: bool = False
    stack: ExitStack = field(factory=ExitStack)
    subject: Popen[bytes] | None = None
    log: Path | None = None
    server: Daemon | None = None
    open_sessions: int = 0
    code: int = 0

    def text(self) -> str:
        """Return the log of the daemon."""
        return self.log.read_text() if self.log is not None and self.log.exists() else ""

    def said(self, words: str) -> None:
        """Wait until the daemon has logged something."""
        wait_for(lambda: words in self.text() or self._ended(), 60)

    def _ended(self) -> None:
        if self.subject is not None and self.subject.poll() is not None:
            raise AssertionError(f"ended with {self.subject.returncode}:\n{self.text()[-3000:]}")

    def start(self, daemon: Daemon, is_subject: bool = True) -> Daemon:
        """Start a daemon that is ended with the scene."""
        daemon.start()
        assert daemon.process is not None
        self.stack.callback(processes.kill, daemon.process)
        if is_subject:
            self.subject, self.log = daemon.process, daemon.log
        return daemon

    def list_server(self, *options: str, records: int = _SHORT, is_subject: bool = False) -> Daemon:
        """Start a server that has a list."""
        path = write_list(self.folder / "list.ndjson", records)
        server = self.start(Daemon("patches-server", self.folder / "server", "--list", str(path), *options), is_subject)
        server.wait_until_ready()
        self.server = None if is_subject else server
        return server

    def scanner(self, url: str, *options: str, command: Callable[[list[str]], list[str]] = list) -> None:
        """Start a scanner's daemon, or the command that scans once."""
        host = write_host(self.folder / "host", "debian", "12", {"package-1": "1:0-1"})
        program = [str(PATCHES), "scan"] if self.is_command else [*SCANNER]
        self.code = INTERRUPTED if self.is_command else 0
        words = [*program, "--state-dir", str(self.folder / "scanner"), "--root", str(host), "--patches-server", url]
        self.log = self.folder / "scanner.log"
        with self.log.open("wb") as log:
            self.subject = processes.start(command([*words, *options]), stdout=log, stderr=log)
        self.stack.callback(processes.kill, self.subject)

    def scripted(self, answer: Answer) -> ScriptedServer:
        """Start a scripted server."""
        return self.stack.enter_context(ScriptedServer(answer))

    def held(self) -> Daemon:
        """Start a server whose only place is held by a client that does not read."""
        server = self.list_server("--max-active", "1", "--session-timeout", "600s", "--chunk-timeout", "600s")
        holder = NeverReads(server.port, _PLATFORM)
        self.stack.callback(holder.socket.close)
        return server

    def dns(self) -> SilentDns:
        """Return a name server that never answers."""
        dns = SilentDns(self.folder)
        self.stack.callback(dns.close)
        return dns

    def full_backlog(self) -> FullBacklog:
        """Return a port that answers no attempt to connect."""
        full = FullBacklog()
        self.stack.callback(full.close)
        return full


def url_of(port: int) -> str:
    """Return the URL of a port."""
    return f"http://127.0.0.1:{port}"


def sessions(server: Daemon) -> float:
    """Return how many sessions of a server live."""
    return sum(server.metric(f'patches_sessions{{platform="{_PLATFORM}",state="{state}"}}') for state in _LIVE)


_LIVE = ("queued", "active")


# Scanner


def _idle(scene: Scene) -> None:
    scene.scanner(url_of(scene.list_server().port))
    scene.said(f"{_PLATFORM}: {_SHORT} vulnerabilities")


def _failure_pause(scene: Scene) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    scene.scanner(url_of(port))
    scene.said(f"{_PLATFORM}: incomplete")


def _retry_pause(scene: Scene) -> None:
    server = scene.scripted(lambda request: [document(503, {"error": {"code": "busy", "message": "busy"}})])
    scene.scanner(server.url)
    wait_for(lambda: server.requests >= 3, 60)


def _connecting(scene: Scene) -> None:
    full = scene.full_backlog()
    scene.scanner(url_of(full.port))
    full.wait_until_tried()


def _resolving(scene: Scene) -> None:
    dns = scene.dns()
    scene.scanner("http://patches.example:8080", command=dns.command)
    dns.wait_until_asked()


def _queued(scene: Scene) -> None:
    def answer(request: Request) -> Iterator[bytes]:
        if request.method == "POST":
            scene.open_sessions += 1
            yield document(201, {"session": "s", "platform": _PLATFORM, "state": "queued", "queuePosition": 3})
        elif request.method == "DELETE":
            scene.open_sessions -= 1
            yield b"HTTP/1.1 204 No Content\r\n\r\n"
        else:
            yield document(202, {"state": "queued", "queuePosition": 3, "pollAfter": 0.5})

    server = scene.scripted(answer)
    scene.scanner(server.url)
    wait_for(lambda: server.requests >= 4, 60)
    time.sleep(scene.rng.uniform(0, 0.5))


def _long_poll(scene: Scene) -> None:
    server = scene.held()
    scene.scanner(url_of(server.port))
    wait_for(lambda: sessions(server) == 2, 60)
    time.sleep(scene.rng.uniform(0.2, 1))


def _in_a_chunk(scene: Scene) -> None:
    server = scene.list_server(records=20_000)
    relay = DrippingRelay(server.port, at_once=3000)
    scene.stack.callback(relay.close)
    scene.scanner(url_of(relay.port))
    wait_for(lambda: relay.dripped > 20, 60)


def _never(request: Request) -> Iterator[bytes]:
    threading.Event().wait(600)
    yield b""


def _drip(request: Request) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
    while True:
        yield b"x"
        time.sleep(0.05)


def _sending_to(answer: Answer) -> Callable[[Scene], None]:
    def enter(scene: Scene) -> None:
        reporter = scene.scripted(answer)
        scene.scanner(url_of(scene.list_server().port), "--reporter", reporter.url)
        wait_for(lambda: reporter.requests, 60)
        time.sleep(0.2)
        if scene.is_command:
            scene.code = FINDINGS  # the scan is done, and its outcome shown

    return enter


# Server


def _server_idle(scene: Scene) -> None:
    scene.list_server(is_subject=True)


def _source_config(scene: Scene, url: str) -> list[str]:
    config = scene.folder / "server.toml"
    config.write_text(f'[source.slow]\nkind = "ndjson"\nurl = "{url}"\nplatforms = ["{_PLATFORM}"]\n')
    return ["--config", str(config)]


def _reading_from(answer: Answer) -> Callable[[Scene], None]:
    def enter(scene: Scene) -> None:
        source = scene.scripted(answer)
        options = _source_config(scene, f"{source.url}/list.ndjson")
        scene.start(Daemon("patches-server", scene.folder / "server", *options))
        wait_for(lambda: source.requests, 60)
        time.sleep(0.2)

    return enter


def _source_connecting(scene: Scene) -> None:
    full = scene.full_backlog()
    options = _source_config(scene, f"{url_of(full.port)}/list.ndjson")
    scene.start(Daemon("patches-server", scene.folder / "server", *options))
    full.wait_until_tried()


def _source_resolving(scene: Scene) -> None:
    dns = scene.dns()
    daemon = Daemon("patches-server", scene.folder / "server", *_source_config(scene, "http://feeds.example/l.ndjson"))
    daemon.wrapped = dns.command
    scene.start(daemon)
    dns.wait_until_asked()


def _refreshing(least: float, most: float) -> Callable[[Scene], None]:
    def enter(scene: Scene) -> None:
        path = write_list(scene.folder / "list.ndjson", _LONG)
        scene.start(Daemon("patches-server", scene.folder / "server", "--list", str(path)))
        scene.said("Reading the list")
        time.sleep(scene.rng.uniform(least, most))

    return enter


def _publishing(scene: Scene) -> None:
    path = write_list(scene.folder / "list.ndjson", _LONG)
    daemon = Daemon("patches-server", scene.folder / "server", "--list", str(path))
    scene.start(daemon)
    scratch = daemon.log.parent
    wait_for(lambda: _is_publishing(scratch), 60)
    time.sleep(scene.rng.uniform(0, 0.3))


def _is_publishing(folder: Path) -> bool:
    """Return whether chunks are written: the catalogue grows only while a list is published."""
    return any(path.stat().st_size > 150_000 for path in folder.glob("catalogue.sqlite*"))


def _waiting_sessions(number: int) -> Callable[[Scene], None]:
    def enter(scene: Scene) -> None:
        server = scene.list_server("--max-active", "1", "--session-timeout", "600s", is_subject=True)
        for each in range(number):
            client = Client(server.port, _PLATFORM)
            scene.stack.callback(client.socket.close)
            if each:
                client.socket.sendall(client.request(0))
        time.sleep(0.3)

    return enter


def _slow_readers(scene: Scene) -> None:
    server = scene.list_server(records=20_000, is_subject=True)
    for _ in range(20):
        reader = NeverReads(server.port, _PLATFORM, pipelined=16)
        scene.stack.callback(reader.socket.close)
    time.sleep(0.5)


# Reporter


def _reporter(scene: Scene) -> Daemon:
    return scene.start(Daemon("patches-reporter", scene.folder / "reporter"))


def _receiving(scene: Scene) -> None:
    reporter = _reporter(scene)
    connection = socket.create_connection(("127.0.0.1", reporter.port))
    scene.stack.callback(connection.close)
    connection.sendall(b"POST /v1/reports HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\n")

    def drip() -> None:
        with suppress(OSError):
            while True:
                connection.sendall(b"{")
                time.sleep(0.05)

    threading.Thread(target=drip, daemon=True).start()
    time.sleep(0.5)


def _storing(scene: Scene) -> None:
    reporter = _reporter(scene)
    body = honest_report("web1", 1, findings=30_000)
    connection = http.client.HTTPConnection("127.0.0.1", reporter.port)
    scene.stack.callback(connection.close)
    connection.request("POST", "/v1/reports", body, {"Content-Type": "application/json"})
    time.sleep(scene.rng.uniform(0, 0.3))


def _slow_reader(scene: Scene) -> None:
    reporter = _reporter(scene)
    assert reporter.ask("/v1/reports", "POST", json.loads(honest_report("web1", 1, findings=20_000)))[0] < 300
    slow = socket.socket()
    scene.stack.callback(slow.close)
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.connect(("127.0.0.1", reporter.port))
    slow.sendall(b"GET /v1/hosts/web1/findings HTTP/1.1\r\nHost: x\r\n\r\n")
    slow.recv(100)


#: The states that a scan has, whoever makes it.
_OF_SCANS: Mapping[str, Callable[[Scene], None]] = {
    "in a pause between tries": _retry_pause,
    "connecting": _connecting,
    "resolving": _resolving,
    "queued": _queued,
    "in a long poll": _long_poll,
    "in a chunk": _in_a_chunk,
    "sending to a reporter that is silent": _sending_to(_never),
    "sending to a reporter that drips": _sending_to(_drip),
}
#: The states of each program.
STATES: Mapping[str, Mapping[str, Callable[[Scene], None]]] = {
    "patches-scanner": {
        "idle": _idle,
        "in a pause after a failure": _failure_pause,
        **_OF_SCANS,
    },
    "patches-server": {
        "idle": _server_idle,
        "reading a source that is silent": _reading_from(_never),
        "reading a source that drips": _reading_from(_drip),
        "connecting to a source": _source_connecting,
        "resolving a source": _source_resolving,
        "parsing": _refreshing(0.0, 1.0),
        "publishing": _publishing,
        "with sessions in long polls": _waiting_sessions(20),
        "with slow readers": _slow_readers,
    },
    "patches-reporter": {
        "idle": lambda scene: _reporter(scene) and None,
        "receiving a body that drips": _receiving,
        "storing": _storing,
        "with a slow reader": _slow_reader,
    },
    COMMAND: _OF_SCANS,
}
