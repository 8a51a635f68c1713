"""Tests for :mod:`patches.http.connection_errors`."""

from __future__ import annotations

from OpenSSL.SSL import Error as TLSError
from service_identity.exceptions import VerificationError
from twisted.internet.error import (
    ConnectionDone,
    ConnectionLost,
    ConnectionRefusedError,
    DNSLookupError,
    NoRouteError,
    TCPTimedOutError,
    TimeoutError,
)
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web._newclient import ParseError
from twisted.web.client import ResponseFailed, ResponseNeverReceived
from twisted.web.http import _DataLoss

from patches.http.connection_errors import causes, is_tls_port, needs_tls, problem_of
from patches.http.connection_pool import NotHttp

PLAIN, TLS = "http://server:8080/v1/x", "https://me:secret@[::1]:8443/v1/x"


def never(error: Exception) -> ResponseNeverReceived:
    """Return the error of a request, as Twisted nests it."""
    return ResponseNeverReceived([Failure(ResponseFailed([Failure(error)]))])


def tls_error(reason: str) -> TLSError:
    """Return an error of OpenSSL."""
    return TLSError([("SSL routines", "", reason)])


class ReasonTests(SynchronousTestCase):
    """Reasons in words."""

    def test_passing(self) -> None:
        """A reason that may pass is said in the same words wherever it is nested."""
        closed = "the connection was closed before the end of its answer"
        for error, words in (
            (ConnectionRefusedError(111, "Connection refused"), "connection refused"),
            (DNSLookupError("no results"), "its name cannot be resolved"),
            (NoRouteError(113), "no route to host"),
            (TimeoutError(), "no answer to the attempt to connect"),
            (TCPTimedOutError(110), "no answer to the attempt to connect"),
            (ConnectionDone(), closed),
            (ConnectionLost(), closed),
            (ValueError("odd.\nmore"), "odd."),
            (ValueError(), "ValueError"),
            (tls_error("unexpected eof while reading"), "[('SSL routines', '', 'unexpected eof while reading')]"),
        ):
            for each in (error, never(error)):
                problem = problem_of(each, PLAIN)
                self.assertEqual((problem.reason, problem.is_final), (words, False))

    def test_final(self) -> None:
        """A reason that does not pass by itself is said with its remedy; no user, and no password."""
        no_tls = "[::1]:8443 does not speak TLS: if it speaks plain HTTP, use http://[::1]:8443"
        untrusted = "its certificate is not trusted: "
        for error, url, words in (
            (tls_error("wrong version number"), TLS, no_tls),
            (tls_error("packet length too long"), TLS, no_tls),
            (NotHttp(), PLAIN, "server:8080 needs TLS: use https://server:8080"),
            (tls_error("certificate verify failed"), TLS, untrusted),
            (VerificationError(errors=[]), TLS, "its certificate is for another name"),
            (tls_error("tlsv13 alert certificate required"), TLS, "it does not accept this client"),
        ):
            problem = problem_of(never(error), url)
            self.assertTrue(problem.reason.startswith(words), problem.reason)
            self.assertTrue(problem.is_final)

    def test_causes(self) -> None:
        """An error comes before those that it consists of."""
        inner = ConnectionDone()
        kinds = [type(each) for each in causes(never(inner))]
        self.assertEqual(kinds, [ResponseNeverReceived, ResponseFailed, ConnectionDone])

    def test_words(self) -> None:
        """The errors of Twisted's client for a broken answer are told in words."""
        for error, words in (
            (_DataLoss(), "closed before the end of its answer"),
            (ParseError("wrong number of parts", b"SSH-2.0"), "its answer is not HTTP"),
        ):
            self.assertIn(words, problem_of(never(error), PLAIN).reason)

    def test_tls_port(self) -> None:
        """A server that answers a plain request at a port that needs TLS is understood, whoever has made it."""
        for body in (
            b'{"error":{"code":"malformed","message":"this port needs TLS"}}',
            b"<center>The plain HTTP request was sent to HTTPS port</center>",
            b"Client sent an HTTP request to an HTTPS server.\n",
            b"Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />",
            b"Bad Request\r\nThis combination of host and port requires TLS.\r\n",
        ):
            self.assertTrue(is_tls_port(PLAIN, 400, body), body)
            self.assertFalse(is_tls_port(PLAIN, 200, body))
            self.assertFalse(is_tls_port(TLS, 400, body))
        self.assertFalse(is_tls_port(PLAIN, 400, b"Bad Request"))
        self.assertEqual(needs_tls(PLAIN), "server:8080 needs TLS: use https://server:8080")
