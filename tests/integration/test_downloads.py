"""Downloads by a separate process, from real servers, through real proxies and TLS."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import resource
import socket
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import react
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase

from patches.errors import SourceError
from patches.sources.config import SourceConfig
from patches.sources.fetch.cache import FileCache
from patches.sources.fetch.fetcher import FetcherFactory
from tests import processes
from tests.integration.loopback import LOOPBACK, URL_HOST
from tests.integration.web_servers import FileServer, Proxy, encrypted, make_certificates, serving

REPOSITORY = Path(__file__).resolve().parents[2]
BODY = os.urandom(1 << 20)
MD5 = base64.b64encode(hashlib.md5(BODY).digest()).decode("ascii")


async def fetch(reactor: Any, folder: str, section: str) -> None:
    """Fetch the first location of a configured source, and print the result."""
    config = SourceConfig.from_section("feed", json.loads(section))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        fetched = await FetcherFactory(reactor, deferToThread, FileCache(Path(folder)), os.environ)(config)(
            config.locations[0]
        )
        found = {"path": str(fetched.path), "state": fetched.state}
    except SourceError as error:
        found = {"error": str(error)}
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(json.dumps(found | {"grown_kib": grown}))


def _is_localhost() -> bool:
    """Return whether ``localhost`` is the address of these tests."""
    return LOOPBACK in {found[4][0] for found in socket.getaddrinfo("localhost", None)}


needs_localhost = pytest.mark.skipif(not _is_localhost(), reason=f"localhost is not {LOOPBACK} here")
UNTRUSTED = (
    "its certificate is not trusted: no authority that is trusted here has issued it, or it is not valid at this time"
)


class DownloadTests(SynchronousTestCase):
    """Processes that fetch."""

    def setUp(self) -> None:
        temporary = TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        self.server = FileServer(BODY)
        self.server.headers = {"Content-MD5": MD5}

    def start(self, url: str, environment: dict[str, str] | None = None, **options: Any) -> subprocess.Popen[str]:
        """Start a process that fetches."""
        section = json.dumps({"kind": "osv", "url": url, **options})
        quiet = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        command = [sys.executable, "-m", __name__, str(self.folder / "kept"), section]
        return processes.start(
            command, cwd=REPOSITORY, env=quiet | (environment or {}), stdout=subprocess.PIPE, text=True
        )

    def fetch(self, url: str, environment: dict[str, str] | None = None, **options: Any) -> dict[str, Any]:
        """Fetch in a process of its own."""
        output, _ = self.start(url, environment, **options).communicate(timeout=60)
        found: dict[str, Any] = json.loads(output)
        return found

    def assertHad(self, found: dict[str, Any], body: bytes = BODY) -> None:
        """Check the result of a fetch."""
        self.assertNotIn("error", found)
        self.assertEqual(Path(found["path"]).read_bytes(), body)
        self.assertEqual(found["state"], hashlib.sha256(body).hexdigest())

    def url(self, name: str = URL_HOST) -> str:
        """Return the URL of the file."""
        return f"http://{name}:{self.server.port}/feeds/all.zip"

    def test_unchanged(self) -> None:
        """A new process revalidates the file that another process has cached, with one request, and writes nothing."""
        with serving(self.server):
            first = self.fetch(self.url())
            self.assertHad(first)
            before = {path.name: path.stat().st_ino for path in (self.folder / "kept").iterdir()}
            self.assertEqual(self.fetch(self.url())["state"], first["state"])
        self.assertEqual({path.name: path.stat().st_ino for path in (self.folder / "kept").iterdir()}, before)
        self.assertEqual(len(self.server.asked), 2)

    def test_cut(self) -> None:
        """If a connection is lost within a body, another connection resumes the download."""
        self.server.cut = 300_000
        with serving(self.server):
            self.assertHad(self.fetch(self.url()))
        self.assertEqual([asked.get("range") for asked in self.server.asked], [None, "bytes=300000-"])

    def test_killed(self) -> None:
        """If a process is killed while it downloads a file, the next process resumes the download."""
        self.server.cut, self.server.stalls = 700_000, True
        with serving(self.server):
            with self.start(self.url()) as process:
                limit = time.monotonic() + 30
                while not any(path.stat().st_size > 500_000 for path in (self.folder / "kept").glob("*.part")):
                    self.assertLess(time.monotonic(), limit)
                    time.sleep(0.05)
                process.kill()
            self.assertHad(self.fetch(self.url()))
        first = int(self.server.asked[1]["range"].removeprefix("bytes=").removesuffix("-"))
        self.assertGreater(first, 500_000)

    def test_memory(self) -> None:
        """The file is not held in memory while it is downloaded."""
        self.server.body = bytes(128 << 20)
        self.server.headers = {}
        with serving(self.server):
            found = self.fetch(self.url())
        self.assertHad(found, self.server.body)
        self.assertLess(found["grown_kib"], 32 << 10)

    @needs_localhost
    def test_certificates(self) -> None:
        """A server is trusted by the configured certificates, not by the system's; its name is verified."""
        ca, own = make_certificates(self.folder, "localhost")
        self.server.socket = encrypted(self.server.socket, own)
        url = self.url("localhost").replace("http:", "https:")
        with serving(self.server):
            self.assertHad(self.fetch(url, ca=str(ca)))
            self.assertEqual(self.fetch(url)["error"], f"{url}: {UNTRUSTED}")
            other = url.replace("localhost", URL_HOST)
            said = self.fetch(other, ca=str(ca))["error"]
            self.assertTrue(said.startswith(f"{other}: its certificate is for another name: use the name"), said)
        self.assertEqual(len(self.server.asked), 1)

    def test_address(self) -> None:
        """A literal address is verified as such: its certificate must name it (RFC 9525, section 6.5)."""
        ca, own = make_certificates(self.folder, LOOPBACK)
        self.server.socket = encrypted(self.server.socket, own)
        url = self.url().replace("http:", "https:")
        with serving(self.server):
            self.assertHad(self.fetch(url, ca=str(ca)))
        self.assertEqual(self.server.asked[0]["host"], f"{URL_HOST}:{self.server.port}")

    def test_proxy_by_address(self) -> None:
        """A proxy may be given by its address, too, with a password, and with TLS of its own."""
        ca, own = make_certificates(self.folder, LOOPBACK)
        proxy = Proxy(self.server.port)
        proxy.socket = encrypted(proxy.socket, own)
        configured = f"https://me:secret@{URL_HOST}:{proxy.port}"
        with serving(self.server, proxy):
            self.assertHad(self.fetch("http://feeds.test/all.zip", ca=str(ca), proxy=configured))
        self.assertEqual(len(proxy.heads), 1)

    def test_tunnel(self) -> None:
        """A server with TLS is reached through the configured proxy, which learns nothing but its name."""
        ca, own = make_certificates(self.folder, "feeds.test")
        self.server.socket = encrypted(self.server.socket, own)
        proxy = Proxy(self.server.port)
        options = {"ca": str(ca), "headers": {"Authorization": "Bearer mine"}}
        with serving(self.server, proxy):
            configured = f"http://me:secret@{URL_HOST}:{proxy.port}"
            self.assertHad(self.fetch("https://feeds.test/all.zip", proxy=configured, **options))
        (head,) = proxy.heads
        self.assertIn("CONNECT feeds.test:443 HTTP/1.1\r\n", head)
        self.assertIn(f"Proxy-Authorization: Basic {base64.b64encode(b'me:secret').decode()}\r\n", head)
        self.assertNotIn("mine", head)
        self.assertEqual(self.server.asked[0]["authorization"], "Bearer mine")
        self.assertNotIn("proxy-authorization", self.server.asked[0])

    def test_plain_through_a_proxy(self) -> None:
        """A server without TLS is reached through the environment's proxy, unless its name is excluded from it."""
        proxy = Proxy(self.server.port)
        environment = {"http_proxy": f"me:secret@{URL_HOST}:{proxy.port}", "NO_PROXY": "other.test"}
        with serving(self.server, proxy):
            self.assertHad(self.fetch("http://feeds.test/all.zip", environment))
            self.assertHad(self.fetch(self.url(), environment))
        (head,) = proxy.heads
        self.assertTrue(head.startswith("GET http://feeds.test/all.zip HTTP/1.1\r\n"))
        self.assertIn("Proxy-Authorization: Basic ", head)

    @needs_localhost
    def test_encrypted_proxy(self) -> None:
        """A proxy may itself require TLS; then TLS runs within TLS."""
        ca, own = make_certificates(self.folder, "localhost")
        self.server.socket = encrypted(self.server.socket, own)
        proxy = Proxy(self.server.port)
        proxy.socket = encrypted(proxy.socket, own)
        with serving(self.server, proxy):
            self.assertHad(self.fetch("https://localhost/a", ca=str(ca), proxy=f"https://localhost:{proxy.port}"))
        self.assertEqual(len(proxy.heads), 1)

    def test_proxy_that_refuses(self) -> None:
        """A proxy that cannot connect is reported differently from a server that does not answer."""
        proxy = Proxy(self.server.port, refuses=407)
        with serving(self.server, proxy):
            found = self.fetch("http://feeds.test/all.zip", proxy=f"http://{URL_HOST}:{proxy.port}")
            self.assertEqual(found["error"], "http://feeds.test/all.zip: it answered 407")
            found = self.fetch("https://feeds.test/all.zip", {"HTTPS_PROXY": f"http://{URL_HOST}:{proxy.port}"})
            self.assertEqual(found["error"], "https://feeds.test/all.zip: the proxy answered 407")
        self.assertEqual(len(proxy.heads), 2)
        self.assertEqual(self.server.asked, [])


if __name__ == "__main__":
    react(lambda reactor, *arguments: Deferred.fromCoroutine(fetch(reactor, *arguments)), sys.argv[1:])
