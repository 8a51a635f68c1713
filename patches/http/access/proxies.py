"""Proxies: the one that leads to a server, by configuration or by the environment."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import unquote, urlsplit

from attrs import field, frozen

from patches.setting_parsers import check_literal
from patches.settings import BadSetting

_PORTS = {"http": 80, "https": 443}
_NOT_A_PROXY = "must be the URL of a proxy such as http://proxy.example:3128"


@frozen
class Proxy:
    """
    A proxy.

    :ivar encrypted: whether the connection to the proxy itself is encrypted.
    :ivar authorization: the value of ``Proxy-Authorization``; ``None``: not required.
    :ivar text: the URL, as it was given; empty: it was not made from one.
    """

    host: str
    port: int
    encrypted: bool = False
    authorization: str | None = field(default=None, repr=False)
    text: str = field(default="", repr=False, eq=False)

    @property
    def name(self) -> str:
        """The proxy as messages name it, without its user and password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @classmethod
    def from_url(cls, text: str) -> Proxy:
        """
        Parse a URL: ``http://user:password@proxy.example:3128``; a bare ``proxy.example:3128`` means ``http``.

        :raises BadSetting: if it cannot be used; the message does not contain the URL, which may contain a password.
        """
        text = text.strip()
        try:
            check_literal(text if "://" in text else f"http://{text}")
        except ValueError as error:
            raise BadSetting(str(error)) from None
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
        return cls(host, port or _PORTS[parts.scheme], parts.scheme == "https", authorization, text)


@frozen
class Bypass:
    """
    One entry of ``NO_PROXY``: servers that are reached without a proxy.

    :ivar name: a host; ``""``: any.
    :ivar itself: whether the host itself is covered.
    :ivar below: whether its subdomains are covered.
    :ivar network: addresses; if it is not ``None``, the name is not used.
    :ivar port: the only port that is covered; ``None``: any.
    """

    name: str = ""
    itself: bool = True
    below: bool = True
    network: IPv4Network | IPv6Network | None = None
    port: int | None = None

    @classmethod
    def from_text(cls, text: str) -> Bypass:
        """Parse an entry: a host, ``.suffix``, an address or a network, each with ``:port`` or without; or ``*``."""
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
        """Return whether the entry covers a server."""
        if self.port not in (None, port):
            return False
        host = host.lower().rstrip(".")
        if self.network is not None:
            return any(address in self.network for address in _addresses(host))
        return not self.name or (self.itself and host == self.name) or (self.below and host.endswith(f".{self.name}"))


@frozen
class Proxies:
    """
    The proxies that lead to servers.

    :ivar http: for plain HTTP; ``None``: no proxy.
    :ivar https: for HTTPS; ``None``: no proxy.
    """

    http: Proxy | None = None
    https: Proxy | None = None
    bypasses: tuple[Bypass, ...] = ()

    @classmethod
    def always(cls, proxy: Proxy) -> Proxies:
        """Use one proxy for every server."""
        return cls(proxy, proxy)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Proxies:
        """
        Read ``HTTP_PROXY``, ``HTTPS_PROXY`` and ``NO_PROXY``; a lower-case name takes precedence over the upper-case
        one.

        A name in ``NO_PROXY`` covers its subdomains too; with a dot before it, only these. This host itself is always
        reached without a proxy. There is no standard; these are the rules of ``golang.org/x/net/http/httpproxy``.

        :raises BadSetting: if one of them cannot be used.
        """
        entries = re.split(r"[,\s]+", _variable(environment, "no_proxy"))
        here = (Bypass("localhost"), *(Bypass(network=_network(text)) for text in ("127.0.0.0/8", "::1")))
        http, https = (_from_variable(environment, name) for name in ("http_proxy", "https_proxy"))
        return cls(http, https, (*here, *(Bypass.from_text(entry) for entry in entries if entry)))

    def proxy_for(self, scheme: str, host: str, port: int) -> Proxy | None:
        """Return the proxy that leads to a server; ``None``: it is reached directly."""
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
    """Parse an address or a network; an IPv6 address may be in brackets."""
    try:
        return ip_network(text.removeprefix("[").removesuffix("]"), strict=False)
    except ValueError:
        return None


def _addresses(host: str) -> tuple[IPv4Address | IPv6Address, ...]:
    """Parse an address without its zone; an IPv4-mapped IPv6 address counts as both."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return ()
    mapped = getattr(address, "ipv4_mapped", None)
    return (address,) if mapped is None else (address, mapped)
