"""Tests for :mod:`patches.http.client_hello`."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from patches.http.client_hello import LONGEST_HELLO, forget_guard, guard_handshake, is_hello, is_record, tls_below


def hello(length: int, record: int | None = None, kind: int = 22, message: int = 1) -> bytes:
    """Return the first nine bytes of a handshake."""
    size = length + 4 if record is None else record
    return bytes((kind, 3, 1)) + size.to_bytes(2, "big") + bytes((message,)) + length.to_bytes(3, "big")


class Tls:
    """Notes what it receives."""

    transport = None

    def __init__(self) -> None:
        self._tlsConnection = object()
        self.received = b""

    def dataReceived(self, data: bytes) -> None:
        """Note it."""
        self.received += data


class GuardTests(SynchronousTestCase):
    """The first bytes of a connection."""

    def setUp(self) -> None:
        self.tls: Any = Tls()
        self.refused: list[bool] = []
        guard_handshake(self.tls, lambda: self.refused.append(True))

    def test_hello(self) -> None:
        """A ClientHello of usual length is passed on, whole or byte by byte, and nothing is looked at behind it."""
        for size in (1, 4, 9, 100):
            self.setUp()
            data = hello(500) + b"\xff" * 600
            for start in range(0, len(data), size):
                self.tls.dataReceived(data[start : start + size])
            self.assertEqual((self.tls.received, self.refused), (data, []))
            self.assertNotIn("dataReceived", vars(self.tls))

    def test_bounds(self) -> None:
        """A hello may be so long, in one record or in several, and not longer; everything else is no hello."""
        for head, expected in (
            (hello(LONGEST_HELLO), True),
            (hello(LONGEST_HELLO, 100), True),
            (hello(LONGEST_HELLO + 1), False),
            (hello(65_532, 16_384), False),
            (hello(100, 16_384), False),
            (hello(100, message=2), False),
            (hello(100, kind=23), False),
            (b"GET / HTTP", False),
        ):
            self.assertIs(is_hello(head[:9]), expected, head)

    def test_refused(self) -> None:
        """Of a hello that is announced to be long, what follows its ninth byte is never read."""
        self.tls.dataReceived(hello(65_532, 16_384)[:5])
        self.tls.dataReceived(hello(65_532, 16_384)[5:] + b"more")
        self.assertEqual((self.refused, len(self.tls.received)), ([True], 5))

    def test_plain(self) -> None:
        """A client that does not speak TLS is answered, whatever the method is; what else it sends is discarded."""
        for method in (b"GET", b"OPTIONS", b"x", b"\r\n", b"\x80\x2e\x01"):
            self.setUp()
            tls, plain = Tls(), []
            guard_handshake(
                tls, lambda plain=plain: plain.append("refused"), lambda plain=plain: plain.append("answered")
            )
            for _ in range(3):
                tls.dataReceived(method + b" / HTTP/1.1\r\n\r\n")
            self.assertEqual((tls.received, plain), (b"", ["answered"]))
        for head in (hello(65_532, 16_384), hello(100, kind=23), hello(100, kind=21)):
            tls, plain = Tls(), []
            guard_handshake(tls, lambda plain=plain: plain.append("refused"), lambda plain=plain: plain.append("no"))
            tls.dataReceived(head)
            self.assertEqual(plain, ["refused"])
        self.assertEqual([is_record(head) for head in (b"", b"G", b"\x16", b"\x15\x03")], [False, False, True, True])

    def test_forget(self) -> None:
        """A connection that ends before has no guard any more, and may have none."""
        for _ in range(2):
            forget_guard(self.tls)
        self.tls.dataReceived(b"x")
        self.assertEqual((self.tls.received, self.refused), (b"x", []))

    def test_below(self) -> None:
        """The protocol that encrypts is found below others, and where there is none, none is."""

        class Wrapper:
            """A transport that wraps another one."""

            def __init__(self, transport: Any) -> None:
                self.transport = transport

        self.assertIs(tls_below(Wrapper(self.tls)), self.tls)
        self.assertIsNone(tls_below(Wrapper(Wrapper(None))))
