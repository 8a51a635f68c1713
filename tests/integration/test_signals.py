"""Real daemons and signals: SIGHUP reads options and files again, and none of SIGHUP, SIGUSR1, SIGUSR2 ends one."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests import processes
from tests.integration.daemons import SCANNER, Daemon, wait_for
from tests.integration.loopback import URL_HOST
from tests.integration.sample_host import write_host
from tests.integration.sample_lists import write_list


class SignalTests(SynchronousTestCase):
    """Daemons with files of options."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).resolve()
        self.folder.mkdir()
        self.config = self.folder / "config.toml"
        self.config.write_text("")

    def check(self, daemon: Daemon) -> None:
        """Send each signal to a daemon; its log level is read again, and it serves as before."""
        try:
            daemon.start()
            assert daemon.process is not None
            self.assertEqual(daemon.ask("/health")[0], 200)  # it listens before it has started
            for number in (signal.SIGUSR1, signal.SIGUSR2):
                daemon.process.send_signal(number)
            for text, said in (
                ('log-level = "loud"', f"everything stays as it was: --config {self.config}: --log-level 'loud'"),
                ('log-level = "debug"', "Read again: "),
            ):
                self.config.write_text(text)
                daemon.process.send_signal(signal.SIGHUP)
                wait_for(lambda said=said: said in daemon.text(), 20)
            self.config.write_text('log-level = "error"')
            daemon.process.send_signal(signal.SIGHUP)
            time.sleep(0.5)
            self.assertEqual(daemon.ask("/health")[0], 200)
            lines = daemon.text().splitlines()
        finally:
            self.assertEqual(daemon.stop(), 0)
        self.assertEqual(daemon.text().splitlines()[len(lines) :], [])  # "Stopping" is below the level
        self.assertNotIn("Traceback", daemon.text())

    def test_server(self) -> None:
        """The server goes on."""
        path = write_list(self.folder / "list.ndjson", 5)
        self.check(Daemon("patches-server", self.folder / "state", "--list", str(path), "--config", str(self.config)))

    def test_reporter(self) -> None:
        """The reporter goes on."""
        self.check(Daemon("patches-reporter", self.folder / "state", "--config", str(self.config)))

    def test_start(self) -> None:
        """A daemon that starts with a high level does not even log that it starts."""
        self.config.write_text('log-level = "error"')
        with self.scanner("http://127.0.0.1:9", "http://127.0.0.1:9/") as (_, log):
            wait_for(lambda: "127.0.0.1:9" in log.read_text(), 30)
            self.assertNotIn("starting up", log.read_text())

    @contextmanager
    def scanner(self, server: str, reporter: str) -> Iterator[tuple[processes.subprocess.Popen[bytes], Path]]:
        """Run a scanner. Yield its process and its log."""
        host, log = write_host(self.folder / "host", "debian", "12", {"package-1": "1:0-1"}), self.folder / "log"
        command = [*SCANNER, "--root", host, "--patches-server", server]
        command += ["--reporter", reporter, "--state-dir", self.folder / "scanner", "--config", self.config]
        with log.open("wb") as file, processes.running(command, stdout=file, stderr=file) as process:
            yield process, log

    def test_scanner(self) -> None:
        """The scanner goes on; it reads its decisions again, and scans again at once if they have changed."""
        path = write_list(self.folder / "list.ndjson", 50)
        server = Daemon("patches-server", self.folder / "state", "--list", str(path))
        reporter = Daemon("patches-reporter", self.folder / "reports")
        ignore = self.folder / "ignore.toml"
        ignore.write_text("")
        self.config.write_text(f"ignore = {json.dumps(str(ignore))}")
        try:
            for daemon in (server, reporter):
                daemon.start()
            server.wait_until_ready()
            urls = [f"http://{URL_HOST}:{server.port}", f"http://{URL_HOST}:{reporter.port}/v1/reports"]
            with self.scanner(*urls) as (process, log):
                wait_for(lambda: "was accepted" in log.read_text(), 60)
                for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP):
                    process.send_signal(number)
                wait_for(lambda: "Read again: verify-key, ignore, log-level" in log.read_text(), 20)
                ignore.write_text("[[ignore]]\nid = 7\n")
                process.send_signal(signal.SIGHUP)
                wait_for(lambda: "everything stays as it was: --ignore" in log.read_text(), 20)
                self.assertEqual(log.read_text().count("was accepted"), 1)
                ignore.write_text('[[ignore]]\ncve = "CVE-2024-000001"\nreason = "not used"\nexpires = 2090-01-01\n')
                process.send_signal(signal.SIGHUP)
                wait_for(lambda: log.read_text().count("was accepted") == 2, 60)
                self.assertNotIn("Traceback", log.read_text())
        finally:
            for daemon in (server, reporter):
                if daemon.process is not None:
                    daemon.stop()
