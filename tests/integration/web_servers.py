"""Web servers and proxies of the standard library, in threads of the test, and certificates made for it."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from socketserver import BaseServer, StreamRequestHandler, ThreadingTCPServer
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.integration.loopback import FAMILY, LOOPBACK


class FileServer(ThreadingHTTPServer):
    """
    A web server with one file, with support for ranges and validators.

    :ivar cut: the number of bytes after which the next response is broken off; ``None`` to send it whole.
    :ivar stalls: whether it then keeps the connection open without sending more, instead of closing it.
    """

    daemon_threads = True
    address_family = FAMILY

    def __init__(self, body: bytes) -> None:
        super().__init__((LOOPBACK, 0), _FileRequest)
        self.body = body
        self.headers: dict[str, str] = {}
        self.cut: int | None = None
        self.stalls = False
        self.over = threading.Event()
        self.asked: list[dict[str, str]] = []

    @property
    def port(self) -> int:
        """Return the port."""
        port: int = self.server_address[1]
        return port

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log nothing: a client that closes its connection is part of a test."""


class _FileRequest(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FileServer

    def do_GET(self) -> None:
        server, etag = self.server, f'"{hash(self.server.body)}"'
        server.asked.append({name.lower(): value for name, value in self.headers.items()})
        if self.headers.get("If-None-Match") == etag:
            self.send_response(304)
            self.end_headers()
            return
        first = 0
        if "Range" in self.headers and self.headers.get("If-Range") == etag:
            first = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        self.send_response(206 if first else 200)
        about = {"ETag": etag, "Content-Length": str(len(server.body) - first), **server.headers}
        if first:
            about["Content-Range"] = f"bytes {first}-{len(server.body) - 1}/{len(server.body)}"
        for name, value in about.items():
            self.send_header(name, value)
        self.end_headers()
        cut, server.cut = server.cut, None
        self.wfile.write(server.body[first:cut])
        if cut is not None:
            self.close_connection = True
            if server.stalls:
                server.over.wait(30)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


class Proxy(ThreadingTCPServer):
    """
    A proxy that knows one server, whatever its name.

    :ivar heads: the requests that it received, each with its headers.
    :ivar refuses: the status with which it refuses to connect.
    """

    daemon_threads = True
    address_family = FAMILY

    def __init__(self, port: int, refuses: int | None = None) -> None:
        super().__init__((LOOPBACK, 0), _ProxyRequest)
        self.known = port
        self.refuses = refuses
        self.heads: list[str] = []

    @property
    def port(self) -> int:
        """Return the port."""
        port: int = self.server_address[1]
        return port


class _ProxyRequest(StreamRequestHandler):
    rbufsize = 0
    server: Proxy

    def handle(self) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n") and (byte := self.rfile.read(1)):
            head += byte
        self.server.heads.append(head.decode("latin-1"))
        if self.server.refuses is not None:
            self.wfile.write(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % self.server.refuses)
            return
        with socket.create_connection((LOOPBACK, self.server.known)) as behind:
            if head.startswith(b"CONNECT "):
                self.wfile.write(b"HTTP/1.1 200 Connected\r\n\r\n")
            else:
                method, url, rest = head.split(b" ", 2)
                behind.sendall(b"%b /%b %b" % (method, url.split(b"/", 3)[3], rest))
            there = threading.Thread(target=_carry, args=(self.connection, behind), daemon=True)
            there.start()
            _carry(behind, self.connection)
            there.join(10)


def _carry(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def encrypted(listening: socket.socket, certificate: Path) -> socket.socket:
    """Wrap the connections of a socket in TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context.wrap_socket(listening, server_side=True)


@contextmanager
def serving(*servers: BaseServer) -> Iterator[None]:
    """Run servers while a test runs."""
    threads = [threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True) for server in servers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for server in servers:
            if isinstance(server, FileServer):
                server.over.set()
            server.shutdown()
            server.server_close()


def make_certificates(folder: Path, host: str, later: timedelta = timedelta(0)) -> tuple[Path, Path]:
    """
    Create a certificate authority, and a certificate of a server that it signed.

    :param host: a name or an address.
    :param later: by how much the server's certificate is valid later than now, or earlier.

    :return: the authority's certificate, and the server's certificate with its key, as PEM files.
    """
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Root of the tests")])
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    root = _certificate(root_name, root_name, root_key, root_key, x509.BasicConstraints(ca=True, path_length=None))
    names: list[x509.GeneralName]
    try:
        names = [x509.IPAddress(ip_address(host))]
    except ValueError:
        names = [x509.DNSName(host)]
    leaf = _certificate(name, root_name, key, root_key, x509.SubjectAlternativeName(names), later)
    ca, own = folder / "ca.pem", folder / f"{host.replace(':', '-')}.pem"
    ca.write_text("# Root of the tests\n" + root.public_bytes(Encoding.PEM).decode())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    own.write_bytes(private + leaf.public_bytes(Encoding.PEM))
    return ca, own


def _certificate(
    name: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
    later: timedelta = timedelta(0),
) -> x509.Certificate:
    now = datetime.now(UTC) + later
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).add_extension(extension, critical=True)
    builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(hours=1))
    return builder.sign(signer, SHA256())
