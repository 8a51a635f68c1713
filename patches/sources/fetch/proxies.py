"""Proxies: which one leads to a server, as a configuration says or the environment does."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import unquote, urlsplit

from attrs import field, frozen

from patches.settings import BadSetting

_PORTS = {"http": 80, "https": 443}
_NOT_A_PROXY = "must be the URL of a proxy such as http://proxy.example:3128"


@frozen
class Proxy:
    """
    A proxy.

    :ivar encrypted: whether the connection to the proxy itself is encrypted.
    :ivar authorization: the value of ``Proxy-Authorization``; ``None``: it wants none.
    """

    host: str
    port: int
    encrypted: bool = False
    authorization: str | None = field(default=None, repr=False)

    @classmethod
    def from_url(cls, text: str) -> Proxy:
        """
        Read a URL: ``http://user:password@proxy.example:3128``; a bare ``proxy.example:3128`` means ``http``.

        :raises BadSetting: if it cannot be used; its text does not repeat the URL, for the password's sake.
        """
        text = text.strip()
        try:
            parts = urlsplit(text if "://" in text else f"http://{text}")
            host, port = parts.hostname, parts.port
        except ValueError:
            raise BadSetting(_NOT_A_PROXY) from None
        if not host or port == 0 or parts.scheme not in _PORTS or re.search(r"[^\x21-\x7e]", text):
            raise BadSetting(_NOT_A_PROXY)
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise BadSetting(_NOT_A_PROXY)
        authorization = None
        if parts.username is not None:
            user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            authorization = f"Basic {base64.b64encode(user.encode()).decode('ascii')}"
        return cls(host, port or _PORTS[parts.scheme], parts.scheme == "https", authorization)


@frozen
class Bypass:
    """
    One entry of ``NO_PROXY``: servers to which no proxy leads.

    :ivar name: a host; ``""``: any.
    :ivar itself: whether the host itself is meant.
    :ivar below: whether the hosts below it are.
    :ivar network: addresses; then there is no name.
    :ivar port: only this one; ``None``: any.
    """

    name: str = ""
    itself: bool = True
    below: bool = True
    network: IPv4Network | IPv6Network | None = None
    port: int | None = None

    @classmethod
    def from_text(cls, text: str) -> Bypass:
        """Read an entry: a host, ``.suffix``, an address or a network, each with ``:port`` or without; or ``*``."""
        text = text.strip().lower()
        if text == "*":
            return cls()
        if (network := _network(text)) is not None:
            return cls(network=network)
        host, port = text, None
        if (found := re.fullmatch(r"(.+):(\d{1,5})", text, re.ASCII)) is not None:
            host, port = found[1], int(found[2])
        if (network := _network(host)) is not None:
            return cls(network=network, port=port)
        name = host.removeprefix("*").strip(".")
        if not name:
            return cls(port=port) if host.startswith("*") else cls("\0")
        return cls(name, itself=not host.startswith((".", "*")), port=port)

    def covers(self, host: str, port: int) -> bool:
        """Tell whether a server is meant."""
        if self.port not in (None, port):
            return False
        host = host.lower().rstrip(".")
        if self.network is not None:
            return any(address in self.network for address in _addresses(host))
        return not self.name or (self.itself and host == self.name) or (self.below and host.endswith(f".{self.name}"))


@frozen
class Proxies:
    """
    Which proxy leads to a server.

    :ivar http: to one without encryption; ``None``: none.
    :ivar https: to one with it.
    """

    http: Proxy | None = None
    https: Proxy | None = None
    bypasses: tuple[Bypass, ...] = ()

    @classmethod
    def always(cls, proxy: Proxy) -> Proxies:
        """Use a proxy for each server there is."""
        return cls(proxy, proxy)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Proxies:
        """
        Read ``HTTP_PROXY``, ``HTTPS_PROXY`` and ``NO_PROXY``, of which the small letters go before the large.

        A name in ``NO_PROXY`` means the hosts below it too; with a dot before it, only these. No proxy leads to this
        host itself. That is how ``golang.org/x/net/http/httpproxy`` has it; there is no standard.

        :raises BadSetting: if one of them cannot be used.
        """
        entries = re.split(r"[,\s]+", _variable(environment, "no_proxy"))
        here = (Bypass("localhost"), *(Bypass(network=_network(text)) for text in ("127.0.0.0/8", "::1")))
        http, https = (_from_variable(environment, name) for name in ("http_proxy", "https_proxy"))
        return cls(http, https, (*here, *(Bypass.from_text(entry) for entry in entries if entry)))

    def proxy_for(self, scheme: str, host: str, port: int) -> Proxy | None:
        """Give the proxy that leads to a server; ``None``: it is reached directly."""
        proxy = self.https if scheme == "https" else self.http
        if proxy is None or any(bypass.covers(host, port) for bypass in self.bypasses):
            return None
        return proxy


def _variable(environment: Mapping[str, str], name: str) -> str:
    return (environment.get(name) or environment.get(name.upper()) or "").strip()


def _from_variable(environment: Mapping[str, str], name: str) -> Proxy | None:
    text = _variable(environment, name)
    try:
        return Proxy.from_url(text) if text else None
    except BadSetting as error:
        raise BadSetting(f"{name.upper()} in the environment {error}") from error


def _network(text: str) -> IPv4Network | IPv6Network | None:
    """Read an address, or a network; an IPv6 address may stand in brackets."""
    try:
        return ip_network(text.removeprefix("[").removesuffix("]"), strict=False)
    except ValueError:
        return None


def _addresses(host: str) -> tuple[IPv4Address | IPv6Address, ...]:
    """Read an address, without its zone; one of IPv6 that means one of IPv4 is both."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return ()
    mapped = getattr(address, "ipv4_mapped", None)
    return (address,) if mapped is None else (address, mapped)
