"""
URLs with literal IPv6 addresses, and connections to their hosts.

hyperlink, by which treq reads a URL, converts each host as a name, and fails for these addresses; Twisted's URIs keep
the brackets, with which no address is looked up.
"""

from __future__ import annotations

from typing import Any

from attrs import field, frozen
from hyperlink import EncodedURL
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.web.client import URI, BrowserLikePolicyForHTTPS
from twisted.web.iweb import IAgentEndpointFactory, IPolicyForHTTPS
from zope.interface import implementer

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


@implementer(IAgentEndpointFactory)
@frozen
class DirectEndpoints:
    """
    The endpoints of servers that are connected to directly.

    Each address of a host is tried, one after the other, every 0.3 s, until one answers (RFC 8305).

    :ivar seconds: the longest time to connect to an address.
    :ivar policy: the certificates to trust; by default those of the system.
    """

    reactor: Any
    seconds: float
    policy: IPolicyForHTTPS = field(factory=BrowserLikePolicyForHTTPS)

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        """Return an endpoint that connects to a server."""
        host = bare_host(uri.host)
        way = HostnameEndpoint(self.reactor, host, uri.port, timeout=self.seconds)
        if uri.scheme != b"https":
            return way
        creator = self.policy.creatorForNetloc(host.encode("ascii"), uri.port)
        wrapped: IStreamClientEndpoint = wrapClientTLS(creator, way)
        return wrapped
