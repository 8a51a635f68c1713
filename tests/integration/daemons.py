"""Real daemons for integration tests: started on a free port, which is read from their log, and ended by their pid."""

from __future__ import annotations

import http.client
import json
import re
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests import processes
from tests.integration.loopback import LOOPBACK, URL_HOST, endpoint

TWISTD = Path(sys.executable).with_name("twistd")
#: A scanner's daemon, which never waits for its turn in a fleet.
SCANNER = (str(TWISTD), "--nodaemon", "--pidfile=", "patches-scanner", "--jitter", "1ms")
PATCHES = Path(sys.executable).with_name("patches")
_LISTENS = re.compile(rf"listens on {re.escape(URL_HOST)}:(\d+)")


class Daemon:
    """
    One of our daemons, run by twistd.

    :param folder: the folder of its state and its log.
    :ivar environment: that of the process; ``None``: the environment of this one.
    :ivar wrapped: returns the command that runs its command.
    """

    def __init__(self, plugin: str, folder: Path, *options: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / f"{plugin}.log"
        here = ["--no-public-sources"] if plugin == "patches-server" else []  # tests use no public source
        self._command = [str(TWISTD), "--nodaemon", "--pidfile=", plugin, "--state-dir", str(folder), *here, *options]
        self.process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self._kind = "tcp"
        self.environment: Mapping[str, str] | None = None
        self.wrapped: Callable[[list[str]], list[str]] = list

    def _connect(self) -> http.client.HTTPConnection:
        if self._kind != "ssl":
            return http.client.HTTPConnection(LOOPBACK, self.port, timeout=60)
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return http.client.HTTPSConnection(LOOPBACK, self.port, timeout=60, context=context)

    def start(self, port: int = 0, kind: str = "tcp", more: str = "") -> Daemon:
        """
        Start the daemon, and wait until it listens.

        :param port: the port; 0 for any free one.
        :param kind: the kind of its endpoint.
        :param more: further arguments of the endpoint.
        """
        self._kind = kind
        said = len(self.text())
        listen = ["--listen", endpoint(port, kind, more)]
        with self.log.open("ab") as log:
            command = self.wrapped([*self._command, *listen])
            self.process = processes.start(command, stdout=log, stderr=log, env=self.environment)
        found = wait_for(lambda: _LISTENS.search(self.text()[said:]) or self._ended(), 30)
        self.port = int(found[1])
        return self

    def _ended(self) -> None:
        if self.process is not None and self.process.poll() is not None:
            raise AssertionError(f"ended with {self.process.returncode}:\n{self.text()[-3000:]}")

    def text(self) -> str:
        """Return the text of the log."""
        return self.log.read_text() if self.log.exists() else ""

    def kill(self) -> None:
        """Kill the daemon, as a power failure would."""
        assert self.process is not None
        processes.kill(self.process)

    def stop(self) -> int:
        """Stop the daemon as an operator would. Return the exit code."""
        assert self.process is not None
        return processes.end(self.process)

    def ask(self, path: str, method: str = "GET", body: Any = None) -> tuple[int, Any]:
        """Request a JSON document and return it."""
        connection = self._connect()
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()

    def wait_until_ready(self, seconds: float = 120) -> None:
        """Wait until the server has its lists."""
        wait_for(lambda: self.ask("/ready")[0] == 200, seconds)

    def peak_mib(self) -> float:
        """Return the peak resident memory, in MiB."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024  # type: ignore[index]

    def metric(self, name: str) -> float:
        """Return one sample of the metrics, named exactly as it is written, with its labels."""
        connection = self._connect()
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        line = next(line for line in text.splitlines() if line.startswith(name + " "))
        return float(line.split()[-1])


def wait_for(condition: Callable[[], Any], seconds: float) -> Any:
    """Wait until a condition holds. Return its value."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s")
