"""The access to a source's servers: the certificates to trust, the proxies to use, the headers to send."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from attrs import field, frozen
from OpenSSL.crypto import Error as CertificateError
from twisted.internet.ssl import Certificate, trustRootFromCertificates
from twisted.web.client import BrowserLikePolicyForHTTPS
from twisted.web.iweb import IPolicyForHTTPS

from patches.settings import BadSetting
from patches.sources.config import SourceConfig
from patches.sources.fetch.checks.addresses import AddressRules
from patches.sources.fetch.proxies import Proxies, Proxy

_CERTIFICATE = re.compile(b"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


@frozen
class Access:
    """
    The access to the servers of a source.

    :ivar policy: the certificates to trust; by default those of the system.
    :ivar headers: sent to the configured server, and to no other.
    :ivar addresses: the addresses that may be connected to without a proxy; ``None``: any.
    """

    proxies: Proxies = field(factory=Proxies)
    policy: IPolicyForHTTPS = field(factory=BrowserLikePolicyForHTTPS)
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    addresses: AddressRules | None = None

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
            policy = BrowserLikePolicyForHTTPS() if config.ca is None else trust_file(config.ca)
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


def trust_file(path: Path) -> IPolicyForHTTPS:
    """
    Return a policy that trusts the certificates in a file, and no others.

    :param path: a PEM file; text between the certificates is ignored.
    :raises BadSetting: if it contains no certificate, or one that cannot be read.
    """
    try:
        blocks = _CERTIFICATE.findall(path.read_bytes())
    except OSError as error:
        raise BadSetting(f"ca: {path}: {error.strerror}") from error
    if not blocks:
        raise BadSetting(f"ca: {path}: has no certificate in PEM form")
    try:
        certificates = [Certificate.loadPEM(block) for block in blocks]
    except (CertificateError, ValueError) as error:
        raise BadSetting(f"ca: {path}: has a certificate that cannot be read") from error
    policy: IPolicyForHTTPS = BrowserLikePolicyForHTTPS(trustRoot=trustRootFromCertificates(certificates))
    return policy
