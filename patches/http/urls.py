"""
URLs with literal IPv6 addresses, and connections to their hosts.

hyperlink, by which treq reads a URL, converts each host as a name, and fails for these addresses; Twisted's URIs keep
the brackets, with which no address is looked up.
"""

from __future__ import annotations

from hyperlink import EncodedURL

#: A name that stands for an address while a URL is converted.
_STAND_IN = "ipv6.invalid"


class LiteralURL(EncodedURL):
    """A URL whose host may be an IPv6 address, as treq takes it."""

    def to_uri(self) -> EncodedURL:
        """Return the URL in ASCII; an address needs no conversion."""
        if ":" not in self.host:
            return super().to_uri()
        uri: EncodedURL = self.replace(host=_STAND_IN).to_uri().replace(host=self.host)
        return uri


def request_url(url: str) -> str | EncodedURL:
    """Return what treq is to be given for a URL."""
    return LiteralURL.from_text(url) if "[" in url.partition("://")[2].partition("/")[0] else url


def bare_host(host: bytes) -> str:
    """Return the host of one of Twisted's URIs without the brackets of an IPv6 address."""
    return host.decode("ascii").removeprefix("[").removesuffix("]")
