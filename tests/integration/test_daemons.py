"""The daemons as an operator meets them: an error is one line and an exit code, and a stop is clean."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from tests import processes
from tests.integration.daemons import PATCHES, SCANNER, TWISTD, Daemon, wait_for
from tests.integration.loopback import FAMILY, LOOPBACK, URL_HOST, endpoint
from tests.integration.sample_host import write_host
from tests.integration.sample_lists import write_list


def twistd(plugin: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a daemon that ends by itself."""
    command = [str(TWISTD), "--nodaemon", "--pidfile=", "--logfile=log", plugin, *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--nonsense"], "option --nonsense not recognized"),
        (["--max-active", "none"], "--max-active 'none': must be a whole number, 1 or more"),
        (["--config", "absent.toml"], "--config absent.toml: there is no such file"),
        (["--no-public-sources"], "there is no vulnerability source: give --clair URL, --list FILE or a [source.NAME]"),
        (["--list", "absent"], "--list absent: there is no such file"),
        (["--clair", "http://127.0.0.1:1", "--memory-limit", "1MiB"], "--memory-limit 1MiB: must be "),
        (["more"], "unexpected argument 'more'"),
    ],
)
def test_bad_option(options: list[str], said: str) -> None:
    """A bad option results in one line that names it and the reason; the exit code is 1."""
    ran = twistd("patches-server", "--state-dir", "state", *options)
    assert ran.returncode == 1
    assert (ran.stdout + ran.stderr).startswith(f"patches-server: {said}")
    assert (ran.stdout + ran.stderr).count("\n") == 1


@pytest.mark.parametrize("plugin", ["patches-server", "patches-reporter"])
def test_taken_port(plugin: str, tmp_path: Path) -> None:
    """A taken port ends the daemon with an error: it does not stay alive without listening."""
    with socket.socket(FAMILY) as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        listen = endpoint(taken.getsockname()[1])
        sources = ["--list", str(write_list(tmp_path / "list", 1))] if plugin == "patches-server" else []
        ran = twistd(plugin, "--state-dir", "state", "--listen", listen, *sources)
    assert ran.returncode == 1
    log = Path("log").read_text()
    assert f"{plugin}: --listen {listen!r}: Address already in use\n" in log
    assert "Traceback" not in log


def test_taken_port_in_the_background(tmp_path: Path) -> None:
    """An operator who starts a daemon in the background sees that it has ended, and which log to read."""
    with socket.socket(FAMILY) as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        listen = endpoint(taken.getsockname()[1])
        options = ["--state-dir", "state", "--listen", listen]
        command = [str(TWISTD), f"--pidfile={tmp_path / 'pid'}", f"--logfile={tmp_path / 'log'}", "patches-reporter"]
        ran = subprocess.run([*command, *options], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 1
    assert "Address already in use" in ran.stdout + ran.stderr
    assert "Address already in use" in (tmp_path / "log").read_text()


def test_folder_in_use(tmp_path: Path) -> None:
    """Two daemons cannot use the same state folder."""
    reporter = Daemon("patches-reporter", tmp_path).start()
    try:
        ran = twistd("patches-reporter", "--state-dir", str(tmp_path), "--listen", endpoint())
        said = f"patches-reporter: --state-dir {tmp_path}: another process uses this folder\n"
        assert (ran.returncode, ran.stdout + ran.stderr) == (1, said)
    finally:
        reporter.stop()


def test_end_of_a_server(tmp_path: Path) -> None:
    """On SIGTERM no new connection is accepted, waiting requests are answered, and the exit code is 0."""
    path = write_list(tmp_path / "list", 10)
    server = Daemon("patches-server", tmp_path / "server", "--list", str(path), "--max-active", "1").start()
    server.wait_until_ready()
    tokens = [server.ask("/v1/sessions", "POST", {"platform": "debian-12"})[1]["session"] for _ in range(2)]
    with socket.create_connection((LOOPBACK, server.port)) as waiting:
        request = f"GET /v1/sessions/{tokens[1]}/chunks/0 HTTP/1.1\r\nHost: x\r\nPrefer: wait=20\r\n\r\n"
        waiting.sendall(request.encode())
        time.sleep(0.3)
        assert server.stop() == 0
        answer = waiting.recv(65536).decode()
    assert answer.startswith("HTTP/1.1 503")
    assert "stopping" in answer
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((LOOPBACK, server.port))
    assert "Traceback" not in server.text()


def test_scanner_and_late_reporter(tmp_path: Path) -> None:
    """
    The scanner daemon scans at startup. Its report waits while the reporter is down, even across a restart of the
    scanner, and arrives when the reporter is up again.
    """
    path = write_list(tmp_path / "list", 1000)
    root = write_host(tmp_path / "root", "debian", "12", {"package-7": "1:0.0-0", "bash": "1"})
    server = Daemon("patches-server", tmp_path / "server", "--list", str(path)).start()
    reporter = Daemon("patches-reporter", tmp_path / "reporter").start()
    reporter.stop()
    command = [
        *(*SCANNER, "--state-dir", str(tmp_path / "scanner")),
        *("--patches-server", f"http://{URL_HOST}:{server.port}", "--root", str(root), "--host", "web-1"),
        *("--mozdef-proxy", f"http://{URL_HOST}:{reporter.port}"),
    ]
    try:
        server.wait_until_ready()
        outbox = tmp_path / "scanner/outbox"
        for wait in (lambda: list(outbox.glob("0*.json")), lambda: len(list(outbox.glob("0*.json"))) == 2):
            with (tmp_path / "scanner.log").open("ab") as log:
                scanner = processes.start(command, stdout=log, stderr=log)
            wait_for(wait, 30)
            assert processes.end(scanner) == 0
        reporter.start(reporter.port)
        with (tmp_path / "scanner.log").open("ab") as log:
            scanner = processes.start(command, stdout=log, stderr=log)
        wait_for(lambda: not list(outbox.glob("0*.json")), 60)
        assert processes.end(scanner) == 0
        [host] = reporter.ask("/v1/hosts")[1]["hosts"]
        assert (host["host"], host["complete"], host["lastScan"]["served"]) == ("web-1", True, 1000)
        found = reporter.ask("/v1/hosts/web-1/findings")[1]["vulnerabilities"]
        assert found
        assert {finding["installed"]["name"] for finding in found} == {"package-7"}
        assert "Traceback" not in (tmp_path / "scanner.log").read_text()
    finally:
        server.stop()
        reporter.stop()


def scan(*options: str) -> subprocess.CompletedProcess[str]:
    """Run ``patches scan``."""
    return subprocess.run([str(PATCHES), "scan", *options], capture_output=True, text=True, timeout=60)


def test_scan_without_a_server(tmp_path: Path) -> None:
    """A server that is not there is waited for, which is said at once; then there is one sentence and exit code 3."""
    root = write_host(tmp_path / "root", "debian", "12", {"bash": "1"})
    began = time.monotonic()
    ran = scan("--patches-server", "http://127.0.0.1:1", "--root", str(root), "--patience", "3s")
    assert ran.returncode == 3
    assert 1 < time.monotonic() - began < 10
    waits = "Waiting for the server: http://127.0.0.1:1 cannot be reached: connection refused.\n"
    assert ran.stderr == waits
    said = " ".join(ran.stdout.split())
    assert "connection refused" in said
    assert "not a clean result" in said
    assert "Traceback" not in ran.stdout + ran.stderr


def test_scans_before_the_server(tmp_path: Path) -> None:
    """A server that starts while twenty scans begin is waited for, as one that was there before: all are complete."""
    root = write_host(tmp_path / "root", "debian", "12", {"package-1": "1:0-1"})
    server = Daemon("patches-server", tmp_path / "server", "--list", str(write_list(tmp_path / "list.ndjson", 300)))
    server.start()  # a first time, for a port that is free
    port = server.port
    server.stop()
    words = [PATCHES, "scan", "--root", root, "--patches-server", f"http://{URL_HOST}:{port}", "--format", "json"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    scans = [processes.start([*words], **pipes) for _ in range(20)]
    try:
        time.sleep(2)
        server.start(port)
        ended = [each.communicate(timeout=120) for each in scans]
    finally:
        server.stop()
    assert {json.loads(said)["verdict"] for said, _ in ended} == {"findings"}
    assert "Waiting for the server" in "".join(told for _, told in ended)


def test_scan_of_what_cannot_be_scanned(tmp_path: Path) -> None:
    """An unknown platform has its own exit code; unreadable packages are an error."""
    (tmp_path / "empty").mkdir()
    ran = scan("--root", str(tmp_path / "empty"))
    assert (ran.returncode, "unknown platform" in ran.stdout) == (4, True)
    ran = scan("--root", str(tmp_path / "empty"), "--platform", "debian-12")
    assert (ran.returncode, "no package database" in ran.stdout) == (5, True)


def test_scan_documents(tmp_path: Path) -> None:
    """Every format is written for a real scan and complete; findings cause exit code 1, or 0 below the limit."""
    root = write_host(tmp_path / "root", "debian", "12", {"package-7": "0.1"})
    server = Daemon("patches-server", tmp_path / "server", "--list", str(write_list(tmp_path / "list", 1000))).start()
    try:
        server.wait_until_ready()
        options = ["--patches-server", f"http://{URL_HOST}:{server.port}", "--root", str(root), "--host", "web-1"]
        for form in ("json", "sarif", "cyclonedx", "openvex", "spdx", "gitlab", "github"):
            ran = scan(*options, "--format", form)
            assert (ran.returncode, ran.stderr) == (1, ""), ran.stderr
            assert "package-7" in json.dumps(json.loads(ran.stdout))
        sarif, page = tmp_path / "out.sarif", tmp_path / "out.html"
        outputs = (f"sarif={sarif}", f"html={page}", "json=/dev/stdout", "csv=/dev/null")
        ran = scan(*options, *(word for each in outputs for word in ("--output", each)))
        assert (ran.returncode, json.loads(ran.stdout)["verdict"]) == (1, "findings"), ran.stderr
        assert len(json.loads(sarif.read_text())["runs"]) == 1
        assert page.read_text().startswith("<!DOCTYPE html>")
        out = tmp_path / "out.json"
        ran = scan(*options, "--format", "json", "--output", str(out), "--fail-on", "never", "--verbose")
        assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
        document = json.loads(out.read_text())
        assert (document["verdict"], document["list"]["vulnerabilities"]) == ("findings", 1000)
        (tmp_path / "ignore.toml").write_text(
            '[[ignore]]\npackage = "package-7"\nreason = "A test."\nexpires = 2999-01-01\n'
            '[[ignore]]\npackage = "package-7"\nreason = "A test."\nexpires = 2020-01-01\n'
        )
        ran = scan(*options, "--format", "json", "--ignore", str(tmp_path / "ignore.toml"))
        assert (ran.returncode, json.loads(ran.stdout)["verdict"]) == (0, "clean")
        assert "1 entry has expired" in ran.stderr
        ran = scan(*options, "--max-age", "1ms")
        assert (ran.returncode, "Stale" in ran.stdout) == (3, True)
    finally:
        server.stop()


def test_interrupted_scan(tmp_path: Path) -> None:
    """Ctrl-C ends a scan at once, without a traceback, and not as a success."""
    root = write_host(tmp_path / "root", "debian", "12", {"bash": "1"})
    with socket.socket(FAMILY) as silent:
        silent.bind((LOOPBACK, 0))
        silent.listen()
        command = [str(PATCHES), "scan", "--patches-server", f"http://{URL_HOST}:{silent.getsockname()[1]}"]
        ran = processes.start([*command, "--root", str(root)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        silent.settimeout(30)
        silent.accept()
        ran.send_signal(signal.SIGINT)
        output, errors = ran.communicate(timeout=30)
    assert ran.returncode == 130
    assert b"Traceback" not in output + errors


def test_demo() -> None:
    """The demonstration runs to its end within ten seconds, and shows findings with their sources."""
    for _ in range(3):  # a machine that is busy with other tests may need a second try
        started = time.monotonic()
        ran = subprocess.run([str(PATCHES), "demo"], capture_output=True, text=True, timeout=60)
        assert ran.returncode == 0, ran.stderr
        taken = time.monotonic() - started
        if taken < 10:
            break
    assert taken < 10
    assert "CVE-" in ran.stdout
    assert "GET /v1/hosts" in ran.stdout


def test_first_protocol(tmp_path: Path) -> None:
    """A scanner of the first Patches receives the whole list by repeating its request with the request's name."""
    path = write_list(tmp_path / "list", 5000)
    server = Daemon("patches-server", tmp_path / "server", "--list", str(path)).start()
    try:
        server.wait_until_ready()
        status, answer = server.ask("/vulns?platform=debian-12")
        names = []
        while not answer["finished"]:
            assert (status, answer["error"]) == (200, None)
            names += [vulnerability["name"] for vulnerability in answer["vulns"]]
            status, answer = server.ask(f"/vulns?requestID={answer['requestID']}")
        assert names == [json.loads(line)["name"] for line in path.read_text().splitlines()]
        assert server.ask("/vulns?platform=nonsense-1")[1]["error"]
    finally:
        server.stop()
