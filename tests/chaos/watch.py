"""A daemon under attack, watched: the peak of its resident memory, workers included, and what honest clients get."""

from __future__ import annotations

import http.client
import json
import resource
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from tests.integration.daemons import Daemon
from tests.integration.readers import Reader, read_all


def allow_sockets(count: int) -> int:
    """Raise this process's limit of open files for some sockets. Return how many it may have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(count + 256, most), most))
    return min(count, most - 256)


def family_mib(pid: int) -> float:
    """Return the resident memory of a process and of its children now, in MiB; of those that have ended, none."""
    total = 0
    with suppress(OSError):
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [child for task in tasks for child in (task / "children").read_text().split()]
        for each in (str(pid), *children):
            with suppress(OSError, IndexError):
                total += int(Path(f"/proc/{each}/statm").read_text().split()[1]) * resource.getpagesize()
    return total / 2**20


class Watch:
    """
    Samples the memory of a daemon every 20 ms while the block runs.

    :ivar peak_mib: the most that it had, its own peak between two samples included.
    """

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self.peak_mib = 0.0

    def _sample(self) -> None:
        assert self._daemon.process is not None
        while not self._done.wait(0.02):
            self.peak_mib = max(self.peak_mib, family_mib(self._daemon.process.pid))

    def now_mib(self) -> float:
        """Return what it has now."""
        assert self._daemon.process is not None
        return family_mib(self._daemon.process.pid)

    def __enter__(self) -> Watch:
        assert self._daemon.process is not None
        Path(f"/proc/{self._daemon.process.pid}/clear_refs").write_text("5")  # proc(5): reset the peak
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._done.set()
        self._thread.join()
        with suppress(OSError):
            self.peak_mib = max(self.peak_mib, self._daemon.peak_mib())


class HonestScans:
    """
    Scans that read a whole list and verify it, one after the other, while the block runs.

    :ivar served: the number of scans that got everything.
    :ivar refused: the number of explicit refusals (503), after which a scan tried again.
    :ivar failed: what else happened; there must be nothing.
    :ivar longest: the longest scan, its retries included; in seconds.
    """

    def __init__(self, port: int, platform: str = "debian-12", pause: float = 0.3) -> None:
        self._port, self._platform, self._pause = port, platform, pause
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._scan, daemon=True)
        self.served = self.refused = 0
        self.failed: list[str] = []
        self.longest = 0.0

    def _scan(self) -> None:
        while not self._done.is_set():
            began = time.monotonic()
            while not self._once() and not self._done.wait(0.2):
                pass
            self.longest = max(self.longest, time.monotonic() - began)
            self._done.wait(self._pause)

    def _once(self) -> bool:
        """Scan. Return whether it is settled: not if the server refused for now, with words."""
        try:
            reader = Reader(self._port, self._platform)
        except AssertionError as error:
            return self._was_refused(str(error))
        except OSError:
            self.refused += 1  # refused before the request was sent: the answer is lost with the connection
            return False
        try:
            read_all([reader], 60)
            self.served += 1
        except (AssertionError, OSError) as error:
            self.failed.append(repr(error))
        finally:
            reader.socket.close()
        return True

    def _was_refused(self, text: str) -> bool:
        if "memory-limit" not in text and "hung up" not in text:
            self.failed.append(text)
            return True
        self.refused += 1
        return False

    def __enter__(self) -> HonestScans:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._done.set()
        self._thread.join(90)


def status_of(port: int, path: str, method: str = "GET", body: object = None) -> tuple[int, object]:
    """Send one request. Return the status and the JSON of the response; status 0 if there was no response."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")
    except (OSError, http.client.HTTPException, ValueError):
        return 0, None
    finally:
        connection.close()
