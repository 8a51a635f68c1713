"""Tests for :mod:`patches.standalone.list_reader`: real commands, with lists of their own and feeds on loopback."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.output.exit_codes import CLEAN, ERROR, FINDINGS, INCOMPLETE, UNSUPPORTED
from tests import processes
from tests.integration.daemons import PATCHES
from tests.integration.sample_host import write_host
from tests.integration.sample_lists import write_list


class CountingHandler(SimpleHTTPRequestHandler):
    """Serves files, and notes the answers."""

    answers: list[int]

    def __init__(self, *args: Any, answers: list[int], **more: Any) -> None:
        self.answers = answers
        super().__init__(*args, **more)

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        """Note the status."""
        self.answers.append(int(code))

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""


class ListReaderTests(SynchronousTestCase):
    """``patches scan`` where there is no server."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.cache = self.folder / "cache"
        self.host = write_host(self.folder / "host", "debian", "12", {"package-1": "1:0-1"})
        self.list = write_list(self.folder / "list.ndjson", 300)
        self.environment = {**os.environ, "HOME": str(self.folder), "XDG_CACHE_HOME": str(self.folder / "xdg")}

    def command(self, *options: str, cache: bool = True) -> list[str]:
        """Return the words of a scan."""
        kept = ["--cache", str(self.cache)] if cache else []
        return [str(PATCHES), "scan", "--root", str(self.host), "--format", "json", *kept, *options]

    def scan(self, *options: str, code: int = FINDINGS, cache: bool = True) -> tuple[dict[str, Any], str]:
        """Scan. Return the document, and what was said besides."""
        words = self.command(*options, cache=cache)
        ran = subprocess.run(words, capture_output=True, text=True, timeout=60, env=self.environment)
        self.assertEqual(ran.returncode, code, ran)
        self.assertNotIn("Traceback", ran.stderr)
        document: dict[str, Any] = json.loads(ran.stdout)
        return document, ran.stderr

    @contextmanager
    def serving(self, folder: Path) -> Iterator[tuple[str, list[int]]]:
        """Serve a folder. Yield its URL, and the answers."""
        answers: list[int] = []
        handler = partial(CountingHandler, directory=str(folder), answers=answers)
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", answers
        finally:
            server.shutdown()
            server.server_close()

    def test_list(self) -> None:
        """A list is read, compared whole, and kept; when it has not changed, nothing is read again."""
        first, said = self.scan("--list", str(self.list))
        self.assertEqual((first["list"]["vulnerabilities"], first["list"]["away"]), (300, None))
        self.assertEqual(said, "Without a server: reading ndjson.\n")
        second, said = self.scan("--list", str(self.list))
        self.assertEqual(said, "Without a server: ndjson has nothing new.\n")
        self.assertEqual(second["list"]["digest"], first["list"]["digest"])
        self.assertEqual(second["findings"], first["findings"])

    def test_another_source(self) -> None:
        """The kept list of one source never stands in for another one, nor is that one judged by it."""
        other, path = self.folder / "other.ndjson", str(self.list)
        write_list(other, 3)
        self.assertEqual(self.scan("--list", path)[0]["list"]["vulnerabilities"], 300)
        document, _ = self.scan("--list", str(other), code=CLEAN if not self.finds(other) else FINDINGS)
        self.assertEqual(document["list"]["vulnerabilities"], 3)
        self.scan("--list", path)
        bad, empty = self.folder / "bad.ndjson", self.folder / "empty.ndjson"
        bad.write_text("not JSON")
        empty.write_text("")
        self.scan("--list", str(bad), code=INCOMPLETE)
        self.scan("--list", str(empty), code=UNSUPPORTED)
        self.scan("--source", f"osv={self.folder}/none", code=INCOMPLETE)
        self.scan("--patches-server", "http://127.0.0.1:9", "--patience", "100ms", code=INCOMPLETE)
        self.scan("--list", path)
        self.list.write_text("not JSON any more")
        document, _ = self.scan("--list", path)  # its own kept list stands in
        self.assertIn("not JSON", document["list"]["away"])

    def finds(self, path: Path) -> bool:
        """Return whether a list names the package of the host."""
        return b'"package-1"' in path.read_bytes()

    def test_offline(self) -> None:
        """Without a network the kept list is compared, and its age is told; an old one is stale, and none is none."""
        self.assertIn("no list of debian-12 is kept", self.scan("--offline", code=INCOMPLETE)[0]["problem"])
        read, _ = self.scan("--list", str(self.list))
        kept, _ = self.scan("--offline")
        self.assertEqual((kept["findings"], kept["list"]["away"]), (read["findings"], "nobody was asked (--offline)"))
        time.sleep(0.02)
        self.assertEqual(self.scan("--offline", "--max-age", "10ms", code=INCOMPLETE)[0]["verdict"], "stale")

    def test_validators(self) -> None:
        """A feed is asked with validators; one that is away leaves the kept list, and the scan says why."""
        (self.folder / "feed").mkdir()
        shutil.copy(self.list, self.folder / "feed/list.ndjson")
        with self.serving(self.folder / "feed") as (url, answers):
            option = f"ndjson={url}/list.ndjson"
            _, said = self.scan("--source", option)
            self.assertIn("Without a server: reading ndjson", said)
            self.scan("--source", option)
            # the others are for checksums beside it, of which there are none
            self.assertEqual([each for each in answers if each != 404], [200, 304])
            write_list(self.folder / "feed/list.ndjson", 400)
            self.assertEqual(self.scan("--source", option)[0]["list"]["vulnerabilities"], 400)
        away, _ = self.scan("--source", option)
        self.assertEqual(away["list"]["vulnerabilities"], 400)
        self.assertIn("connection refused", away["list"]["away"])
        shutil.rmtree(self.cache)
        self.assertIn("connection refused", self.scan("--source", option, code=INCOMPLETE)[0]["problem"])

    def test_absent(self) -> None:
        """A platform that no source has is unsupported."""
        document, _ = self.scan("--list", str(self.list), "--platform", "debian-13", code=UNSUPPORTED)
        self.assertEqual(document["problem"], "no source has a list of debian-13")

    def test_bucket(self) -> None:
        """A copy of OSV's bucket is read where it has the ecosystem of the platform."""
        for folder in ("Debian", "Alpine"):
            (self.folder / "osv" / folder).mkdir(parents=True)
            (self.folder / "osv" / folder / "all.zip").write_bytes(b"")
        document, _ = self.scan("--source", f"osv={self.folder / 'osv'}", code=INCOMPLETE)
        self.assertIn("Debian/all.zip", document["problem"])

    def test_unwritable(self) -> None:
        """A folder that cannot be used is said in one line and in the document, and the scan is made all the same."""
        self.cache.write_text("no folder")
        document, said = self.scan("--list", str(self.list))
        self.assertEqual(said.splitlines()[0], f"The list cannot be kept: {document['cacheProblem']}")
        self.assertIn(str(self.cache), document["cacheProblem"])

    def test_state(self) -> None:
        """State that cannot be stored is said in one line and in the document; the scan is made and shown."""
        (self.folder / "state").write_text("no folder")
        options = ["--state-dir", str(self.folder / "state"), "--reporter", "http://127.0.0.1:9/"]
        document, said = self.scan("--list", str(self.list), *options, code=ERROR)
        self.assertEqual((document["verdict"], document["list"]["vulnerabilities"]), ("findings", 300))
        self.assertIn("the report cannot be stored", document["cacheProblem"])
        self.assertEqual(said.splitlines()[1:], [f"Error: {document['cacheProblem']}"])

    def test_user(self) -> None:
        """The list is kept in the folder of the user's caches; root's is the system's."""
        if os.getuid() == 0:
            self.skipTest("root keeps lists in /var/cache")
        self.scan("--list", str(self.list), cache=False)
        self.assertTrue((self.folder / "xdg/patches/debian-12.json").is_file())

    def test_damaged(self) -> None:
        """A kept list that is damaged is never compared; the next scan makes it anew."""
        self.scan("--list", str(self.list))
        (path,) = self.cache.glob("*.chunks")
        path.write_bytes(path.read_bytes()[:-20] + bytes(20))
        self.assertIn("damaged", self.scan("--list", str(self.list), code=INCOMPLETE)[0]["problem"])
        self.assertEqual(self.scan("--list", str(self.list))[0]["list"]["vulnerabilities"], 300)

    def test_together(self) -> None:
        """Several commands at once: one reads, the others wait for it."""
        words = self.command("--list", str(self.list))
        running = [processes.start(words, stdout=subprocess.PIPE, env=self.environment) for _ in range(4)]
        documents = [json.loads(each.communicate(timeout=60)[0]) for each in running]
        self.assertEqual({each["list"]["vulnerabilities"] for each in documents}, {300})

    def test_timeout(self) -> None:
        """A source that is silent ends with the time of the scan; an interrupted command ends at once."""
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            began = time.monotonic()
            late, _ = self.scan("--source", f"ndjson={url}/l", "--timeout", "1s", code=INCOMPLETE)
            self.assertEqual(late["problem"], "the list of debian-12 was not read within 1 s from ndjson")
            self.assertLess(time.monotonic() - began, 6)
            silent.accept()[0].close()
            process = processes.start(self.command("--source", f"ndjson={url}/l"), env=self.environment)
            with silent.accept()[0]:
                process.send_signal(signal.SIGINT)
                self.assertEqual(process.wait(5), 130)

    def test_clean(self) -> None:
        """A host without a vulnerable package is clean."""
        self.host = write_host(self.folder / "other", "debian", "12", {"other": "1"})
        self.assertEqual(self.scan("--list", str(self.list), code=CLEAN)[0]["verdict"], "clean")
