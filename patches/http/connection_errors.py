"""The words for requests without a response: why, and what to do about it; the same for all clients."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from attrs import frozen
from twisted.internet.error import (
    ConnectionClosed,
    ConnectionRefusedError,
    DNSLookupError,
    NoRouteError,
    TCPTimedOutError,
    TimeoutError,
)
from twisted.web._newclient import ParseError
from twisted.web.http import PotentialDataLoss, _DataLoss

from patches.http.connection_pool import NotHttp

#: The errors of TLS, and of certificates for another name; empty in a process without TLS, which meets none of them.
_TLS_ERRORS: tuple[type[Exception], ...] = ()
_OTHER_NAME_ERRORS: tuple[type[Exception], ...] = ()
try:
    from OpenSSL.SSL import Error
    from service_identity.exceptions import VerificationError
except ImportError:
    pass
else:
    _TLS_ERRORS, _OTHER_NAME_ERRORS = (Error,), (VerificationError,)

_CUT_OFF = "the connection was closed before the end of its answer"
_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (ConnectionRefusedError, "connection refused"),
    (DNSLookupError, "its name cannot be resolved"),
    (NoRouteError, "no route to host"),
    (TCPTimedOutError, "no answer to the attempt to connect"),
    (TimeoutError, "no answer to the attempt to connect"),
    (ConnectionClosed, _CUT_OFF),
    (_DataLoss, _CUT_OFF),
    (PotentialDataLoss, _CUT_OFF),
    (ParseError, "its answer is not HTTP"),
)
#: The errors of OpenSSL for a peer whose first bytes are no TLS.
_NO_TLS = ("wrong version number", "packet length too long", "http request", "unknown protocol")
_OTHER_NAME = "its certificate is for another name: use the name of the server that it was issued for"
#: The errors of OpenSSL for a peer with older versions of TLS only, whichever side refuses.
_TOO_OLD = ("unsupported protocol", "protocol version", "wrong ssl version", "no protocols available")
#: The error of OpenSSL for a certificate that is not trusted.
_UNTRUSTED = "certificate verify failed"
#: How servers answer a plain request at a port that needs TLS, in lower case: ours, nginx, Go's and what is made with
#: it, Apache's, and Tomcat.
_NEEDS_TLS = (
    *(b"this port needs tls", b"plain http request was sent to https port", b"http request to an https server"),
    *(b"speaking plain http to an ssl-enabled", b"combination of host and port requires tls"),
)


@frozen
class ConnectionProblem:
    """
    The reason for which there is no response.

    :ivar reason: in words, on one line.
    :ivar is_final: whether to try again does not help: a setting is wrong, here or at the server.
    """

    reason: str
    is_final: bool = False


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that it consists of; Twisted nests the errors of a connection in lists of failures."""
    yield error
    for reason in getattr(error, "reasons", None) or ():
        yield from causes(reason.value)


def problem_of(error: BaseException, url: str) -> ConnectionProblem:
    """
    Return the reason for which a request failed.

    :param url: the URL of the request.
    """
    for cause in causes(error):
        if isinstance(cause, NotHttp):
            return ConnectionProblem(needs_tls(url), is_final=True)
        if isinstance(cause, _OTHER_NAME_ERRORS):
            return ConnectionProblem(_OTHER_NAME, is_final=True)
        if isinstance(cause, _TLS_ERRORS) and (found := _tls_problem(str(cause), url)) is not None:
            return found
    *_, innermost = causes(error)
    words = next((words for kind, words in _WORDS if isinstance(innermost, kind)), None)
    return ConnectionProblem(words or _first_line(innermost))


def _tls_problem(text: str, url: str) -> ConnectionProblem | None:
    if any(phrase in text for phrase in _NO_TLS):
        said = f"{_authority(url)} does not speak TLS: if it speaks plain HTTP, use http://{_authority(url)}"
        return ConnectionProblem(said, is_final=True)
    if _UNTRUSTED in text:
        untrusted = "no authority that is trusted here has issued it, or it is not valid at this time"
        return ConnectionProblem(f"its certificate is not trusted: {untrusted}", is_final=True)
    if "alert" in text and "certificate" in text:
        return ConnectionProblem("it does not accept this client without a certificate that it trusts", is_final=True)
    if any(phrase in text for phrase in _TOO_OLD):
        return ConnectionProblem("it speaks only versions of TLS before 1.2, which are not secure", is_final=True)
    if "handshake failure" in text:
        refused = "it refuses the handshake: it demands a certificate of this client, or has no common cipher"
        return ConnectionProblem(refused, is_final=True)
    return None


def is_untrusted(error: BaseException) -> bool:
    """Return whether an error says that a peer speaks TLS, but shows a certificate that is not trusted."""
    return isinstance(error, _TLS_ERRORS) and _UNTRUSTED in str(error)


def needs_tls(url: str) -> str:
    """Return the words for a server that does not take plain requests."""
    return f"{_authority(url)} needs TLS: use https://{_authority(url)}"


def is_tls_port(url: str, status: int, body: bytes) -> bool:
    """Return whether a response says that the port of a URL needs TLS."""
    start = body[:4096].lower()
    return status == 400 and url.startswith("http://") and any(phrase in start for phrase in _NEEDS_TLS)


def _authority(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


def _first_line(error: BaseException) -> str:
    return (str(error).strip().rstrip(".").splitlines() or [type(error).__name__])[0]
