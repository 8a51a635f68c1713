"""URLs of downloads: without credentials for logs, the targets of redirects, and the servers that receive headers."""

from __future__ import annotations

from urllib.parse import SplitResult, quote, urljoin, urlsplit, urlunsplit

from patches.errors import SourceError
from patches.setting_parsers import check_literal

#: The statuses that refer to another URL of the same file.
REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PORTS = {"http": 80, "https": 443}


def without_credentials(url: str) -> str:
    """Return a URL without user and password, for logs."""
    scheme, slashes, rest = url.partition("://")
    netloc, slash, path = rest.partition("/")
    return f"{scheme}{slashes}{netloc.rpartition('@')[2]}{slash}{path}" if slashes else url


def redirected(url: str, location: bytes) -> str:
    """
    Return the target of a redirect.

    :param url: the requested URL.
    :param location: the header as received.
    :return: a URL without user, password and fragment.
    :raises SourceError: if the target is not an HTTP URL, or is not encrypted while the requested URL was.
    """
    text = quote(location.strip(), safe="!#$%&'()*+,/:;=?@[]~")
    try:
        parts = urlsplit(urljoin(url, text))
        usable = parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0
        check_literal(urlunsplit(parts))
    except ValueError:
        usable = False
    if not usable:
        raise SourceError("is redirected to something that is not a URL of a web server")
    if urlsplit(url).scheme == "https" and parts.scheme == "http":
        raise SourceError(f"is redirected from https to http: {without_credentials(urlunsplit(parts))}")
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment=""))


def same_server(configured: str, url: str) -> bool:
    """
    Return whether a URL is on the configured server.

    A redirect from http to https, both on their default ports, stays on the same server.
    """
    before, after = urlsplit(configured), urlsplit(url)
    if before.hostname != after.hostname:
        return False
    ports = _port(before), _port(after)
    if before.scheme == after.scheme:
        return ports[0] == ports[1]
    return (before.scheme, after.scheme, *ports) == ("http", "https", 80, 443)


def _port(parts: SplitResult) -> int:
    return parts.port or _PORTS[parts.scheme]
