"""The access to a source's servers: the certificates to trust, the proxies to use, the headers to send."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from attrs import field, frozen

from patches.http.access.certificates import TrustPolicy, trust_file
from patches.http.access.proxies import Proxies, Proxy
from patches.http.access.routed_agent import Routes
from patches.settings import BadSetting
from patches.sources.config import SourceConfig
from patches.sources.fetch.checks.addresses import AddressRules, CheckedReactor


@frozen
class Access(Routes):
    """
    The access to the servers of a source.

    :ivar headers: sent to the configured server, and to no other.
    :ivar addresses: the addresses that may be connected to without a proxy; ``None``: any.
    """

    headers: Mapping[str, str] = field(factory=dict, repr=False)
    addresses: AddressRules | None = None

    def guarded(self, reactor: Any, host: str) -> Any:
        """Return a reactor that connects to the allowed addresses of a host only."""
        return reactor if self.addresses is None else CheckedReactor(reactor, self.addresses, host)

    @classmethod
    def from_config(cls, config: SourceConfig, environment: Mapping[str, str]) -> Access:
        """
        Create the access of a source from its configuration, and from the environment where that says nothing.

        :raises BadSetting: if a certificate or proxy cannot be used.
        """
        try:
            proxies = (
                Proxies.always(Proxy.from_url(config.proxy))
                if config.proxy is not None
                else Proxies.from_environment(environment)
            )
            policy = TrustPolicy() if config.ca is None else trust_file(config.ca)
        except BadSetting as error:
            raise BadSetting(f"[source.{config.name}]: {error}") from error
        hosts = (_host(location) for location in config.locations)
        rules = AddressRules.of_hosts(host for host in hosts if host)
        return cls(proxies, policy, config.headers, rules)


def _host(location: str) -> str | None:
    """Return the host of a location; ``None``: it is a path."""
    try:
        return urlsplit(location).hostname if "://" in location else None
    except ValueError:
        return None
