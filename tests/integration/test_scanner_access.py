"""The scanner's access to its server: through proxies, and with the certificates that it is to trust."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.output.exit_codes import CLEAN, INCOMPLETE, USAGE
from tests.integration.daemons import PATCHES, Daemon
from tests.integration.loopback import FAMILY, LOOPBACK, URL_HOST
from tests.integration.sample_host import write_host
from tests.integration.sample_lists import write_list
from tests.integration.web_servers import Proxy, make_certificates, serving

_PROXIES = ("http_proxy", "https_proxy", "no_proxy")


class AccessCase(SynchronousTestCase):
    """A host to scan."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.host = write_host(self.folder / "host", "debian", "12", {"package-1": "1:0-1"})
        kept = {name: text for name, text in os.environ.items() if name.lower() not in _PROXIES}
        self.environment = {**kept, "HOME": str(self.folder)}

    def scan(self, url: str, *options: str, code: int = CLEAN, **environment: str) -> str:
        """Scan with a server. Return all that was said, on one line."""
        words = [str(PATCHES), "scan", "--root", str(self.host), "--patches-server", url, "--patience", "1s"]
        words += ["--state-dir", str(self.folder / "state"), *options]
        ran = subprocess.run(words, capture_output=True, text=True, timeout=60, env={**self.environment, **environment})
        self.assertEqual(ran.returncode, code, ran)
        self.assertNotIn("Traceback", ran.stderr)
        said = " ".join((ran.stdout + ran.stderr).split())
        self.assertNotIn("secret", said)
        return said

    def server(self, **endpoint: str) -> Daemon:
        """Start a server with a list."""
        path = write_list(self.folder / "list.ndjson", 10)
        server = Daemon("patches-server", self.folder / "server", "--list", str(path)).start(**endpoint)  # type: ignore[arg-type]
        self.addCleanup(server.stop)
        server.wait_until_ready()
        return server


class ProxyTests(AccessCase):
    """A server whose name only the proxy can resolve."""

    def test_plain(self) -> None:
        """Plain requests go to the proxy with their whole URL, the reports too, however it is named."""
        server, reporter = self.server(), Daemon("patches-reporter", self.folder / "reporter").start()
        self.addCleanup(reporter.stop)
        proxy = Proxy(server.port)
        told = f"http://me:secret@{URL_HOST}:{proxy.port}"
        with serving(proxy):
            for options, environment in (
                ((), {"http_proxy": told}),
                ((), {"HTTP_PROXY": told}),
                (("--proxy", told), {"NO_PROXY": "*"}),
                ((), {"PATCHES_PROXY": told}),
            ):
                before = len(proxy.heads)
                self.scan("http://patches.corp.test", *options, **environment)
                head = proxy.heads[before]
                self.assertTrue(head.startswith("POST http://patches.corp.test/v1/sessions HTTP/1.1\r\n"), head)
                credentials = base64.b64encode(b"me:secret").decode()
                self.assertIn(f"Proxy-Authorization: Basic {credentials}\r\n", head)
        behind = Proxy(reporter.port)
        with serving(behind):
            here = f"http://{URL_HOST}:{server.port}"
            options = ("--reporter", "http://reports.corp.test/", "--format", "json")
            self.scan(here, *options, http_proxy=f"http://{URL_HOST}:{behind.port}")
        self.assertTrue(all(head.startswith("POST http://reports.corp.test/") for head in behind.heads), behind.heads)
        self.assertEqual(len(behind.heads), 1)  # the server on loopback was connected to directly

    def test_encrypted(self) -> None:
        """A server with TLS is reached through a tunnel; the proxy learns its name only."""
        ca, own = make_certificates(self.folder, "patches.corp.test")
        server = self.server(kind="ssl", more=f":privateKey={own}:certKey={own}")
        proxy = Proxy(server.port)
        url = f"http://me:secret@{URL_HOST}:{proxy.port}"
        with serving(proxy):
            self.scan("https://patches.corp.test", "--ca", str(ca), https_proxy=url)
            self.scan("https://patches.corp.test", HTTPS_PROXY=url, SSL_CERT_FILE=str(ca))
        self.assertEqual({head.split("\r\n")[0] for head in proxy.heads}, {"CONNECT patches.corp.test:443 HTTP/1.1"})

    def test_excepted(self) -> None:
        """Loopback, and what NO_PROXY names, is connected to directly; --proxy is for all servers."""
        server, proxy = self.server(), Proxy(1)
        url = f"http://{URL_HOST}:{proxy.port}"
        here = f"http://{URL_HOST}:{server.port}"
        with serving(proxy):
            self.scan(here, http_proxy=url)
            said = self.scan("http://patches.corp.test", code=INCOMPLETE, http_proxy=url, no_proxy="corp.test")
            self.assertIn("its name cannot be resolved", said)
            self.assertEqual(proxy.heads, [])
            self.scan(here, "--proxy", url, code=INCOMPLETE)
            self.assertGreater(len(proxy.heads), 0)

    def test_refused(self) -> None:
        """A proxy that refuses, or is not there, is named, with what it said; its password never is."""
        for status, words in ((407, "requires a user and a password"), (403, "does not allow"), (502, "cannot reach")):
            proxy = Proxy(1, refuses=status)
            with serving(proxy):
                for scheme in ("http", "https"):
                    url = f"http://me:secret@{URL_HOST}:{proxy.port}"
                    said = self.scan(f"{scheme}://patches.corp.test", "--proxy", url, code=INCOMPLETE)
                    self.assertIn(f"through the proxy {URL_HOST}:{proxy.port}: ", said)
                    self.assertIn(f"answered {status}: it {words}", said)
        with socket.create_server((LOOPBACK, 0), family=FAMILY) as closed:
            port = closed.getsockname()[1]
        said = self.scan("http://patches.corp.test", code=INCOMPLETE, http_proxy=f"http://{URL_HOST}:{port}")
        self.assertIn(f"through the proxy {URL_HOST}:{port}: connection refused", said)
        self.assertIn("--proxy: must be", self.scan("http://x.test", "--proxy", "socks5://secret@x", code=USAGE))
        self.assertIn("HTTP_PROXY", self.scan("http://x.test", code=USAGE, http_proxy="socks5://secret@x"))

    def test_default_address(self) -> None:
        """A proxy that cannot be reached is no reason to scan without a server."""
        words = [str(PATCHES), "scan", "--root", str(self.host), "--proxy", f"http://{URL_HOST}:1", "--timeout", "20s"]
        ran = subprocess.run(words, capture_output=True, text=True, timeout=60, env=self.environment)
        self.assertEqual(ran.returncode, INCOMPLETE, ran)
        self.assertIn(f"through the proxy {URL_HOST}:1", " ".join(ran.stdout.split()))


class HandshakeTests(AccessCase):
    """Servers with which no connection can be made, each told in words with the remedy."""

    @contextmanager
    def answering(self, own: Path, change: str = "") -> Iterator[str]:
        """Run a server that makes handshakes, in some way. Yield its URL."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(own)
        if change == "old":
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        if change.startswith("client"):
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.folder / "ca.pem")
        if change == "client-1.2":
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        with socket.create_server((LOOPBACK, 0), family=FAMILY) as listening:
            plain = change == "plain"
            threading.Thread(target=_serve, args=(listening, None if plain else context), daemon=True).start()
            yield f"https://{URL_HOST}:{listening.getsockname()[1]}"

    def told(self, url: str, *options: str, **environment: str) -> str:
        """Return what a scan says about a server."""
        return self.scan(url, *options, code=INCOMPLETE, **environment)

    def test_certificates(self) -> None:
        """A certificate of another authority, of another name, or of another time."""
        day = timedelta(days=1)
        for name, later, words in (
            (LOOPBACK, -day, "it has expired: it must be renewed, unless the clock of this host is fast"),
            (LOOPBACK, day, "it is not yet valid: either the clock of this host is slow"),
            ("other.test", timedelta(0), "its certificate is for another name: use the name"),
        ):
            ca, own = make_certificates(self.folder, name, later)
            with self.answering(own) as url:
                self.assertIn(words, self.told(url, "--ca", str(ca)))
                self.assertIn(words, self.told(url, SSL_CERT_FILE=str(ca)))
        _, own = make_certificates(self.folder, LOOPBACK)
        with self.answering(own) as url:
            self.assertIn("no authority that is trusted here has issued it; name", self.told(url))
            self.assertIn("(--ca)", self.told(url))

    def test_others(self) -> None:
        """A server without TLS, with an old one, or that demands a certificate."""
        ca, own = make_certificates(self.folder, LOOPBACK)
        for change, words in (
            ("plain", "does not speak TLS"),
            ("old", "it speaks only versions of TLS before 1.2"),
            ("client-1.2", "certificate"),
            ("client-1.3", "it does not accept this client without a certificate that it trusts"),
        ):
            with self.answering(own, change) as url:
                self.assertIn(words, self.told(url, "--ca", str(ca)), change)

    def test_in_place(self) -> None:
        """The file of --ca is in place of the system's authorities: with another authority nothing is trusted."""
        ca, own = make_certificates(self.folder, LOOPBACK)
        other = self.folder / "other"
        other.mkdir()
        strange, _ = make_certificates(other, LOOPBACK)
        server = self.server(kind="ssl", more=f":privateKey={own}:certKey={own}")
        url = f"https://{URL_HOST}:{server.port}"
        self.scan(url, "--ca", str(ca))
        self.assertIn("no authority that is trusted", self.told(url, "--ca", str(strange), SSL_CERT_FILE=str(ca)))
        self.assertIn("--ca: ", self.scan(url, "--ca", str(self.folder / "absent"), code=USAGE))
        listed = self.folder / "scanner.toml"
        listed.write_text(f"ca = {json.dumps(str(ca))}\n")
        self.scan(url, "--config", str(listed))


def _serve(listening: socket.socket, context: ssl.SSLContext | None) -> None:
    """Accept connections, with a handshake if there is a context, and end each after the first request."""
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection, contextlib.suppress(OSError):
            if context is None:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 400 No\r\n\r\n")
                continue
            with context.wrap_socket(connection, server_side=True) as tls:
                tls.recv(1000)
