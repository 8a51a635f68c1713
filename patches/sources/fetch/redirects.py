"""URLs of downloads: how they are shown, where a redirect leads, and whose headers go there."""

from __future__ import annotations

from urllib.parse import SplitResult, quote, urljoin, urlsplit, urlunsplit

from patches.interfaces import SourceError

#: The statuses that name another place for the same file.
REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PORTS = {"http": 80, "https": 443}


def without_credentials(url: str) -> str:
    """Give a URL as it may stand in a log: without user and password."""
    scheme, slashes, rest = url.partition("://")
    netloc, slash, path = rest.partition("/")
    return f"{scheme}{slashes}{netloc.rpartition('@')[2]}{slash}{path}" if slashes else url


def redirected(url: str, location: bytes) -> str:
    """
    Tell where a redirect leads.

    :param url: what was asked for.
    :param location: the header as it came.
    :return: a URL without user, password and fragment.
    :raises SourceError: if that is no place to go: not HTTP, or not encrypted where it was before.
    """
    text = quote(location.strip(), safe="!#$%&'()*+,/:;=?@[]~")
    try:
        parts = urlsplit(urljoin(url, text))
        usable = parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise SourceError("is redirected to what is no URL of a web server")
    if urlsplit(url).scheme == "https" and parts.scheme == "http":
        raise SourceError(f"is redirected from https to http: {without_credentials(urlunsplit(parts))}")
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment=""))


def same_server(configured: str, url: str) -> bool:
    """Tell whether a URL is on the configured server; one that goes from http to https on its usual ports stays it."""
    before, after = urlsplit(configured), urlsplit(url)
    if before.hostname != after.hostname:
        return False
    ports = _port(before), _port(after)
    if before.scheme == after.scheme:
        return ports[0] == ports[1]
    return (before.scheme, after.scheme, *ports) == ("http", "https", 80, 443)


def _port(parts: SplitResult) -> int:
    return parts.port or _PORTS[parts.scheme]
