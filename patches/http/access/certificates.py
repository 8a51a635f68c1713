"""Trust in the certificates of servers: which authorities are trusted, and why a certificate is not, in words."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from attrs import define, field, frozen
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.web.iweb import IPolicyForHTTPS
from zope.interface import implementer

from patches.settings import BadSetting

# OpenSSL is imported where it is used: a command whose traffic is plain does without it
_CERTIFICATE = re.compile(b"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_NO_ISSUER = (
    "no authority that is trusted here has issued it; name the file of its authority (--ca), if you trust that one"
)
#: The most hosts whose newest connection is known.
_MOST_HOSTS = 64
#: Why OpenSSL does not trust a certificate, by the code of X509_STORE_CTX_get_error(3), with the remedy.
_REASONS = {
    **dict.fromkeys((2, 20, 21, 27), _NO_ISSUER),
    **dict.fromkeys((18, 19), f"it is self-signed: {_NO_ISSUER}"),
    9: "it is not yet valid: either the clock of this host is slow, or the certificate was made for later",
    10: "it has expired: it must be renewed, unless the clock of this host is fast",
    23: "it was revoked by its authority",
    26: "it is not made for servers",
    66: "its key is too short",
    67: "its authority's key is too short",
    68: "its signature is of an algorithm that is too weak",
}


@implementer(IPolicyForHTTPS)
@define(eq=False)
class TrustPolicy:
    """
    The policy of a client that trusts some authorities.

    :ivar trust: the authorities, as Twisted takes them; ``None``: those of the system, or of ``SSL_CERT_FILE`` and
        ``SSL_CERT_DIR``.
    """

    trust: Any = None
    _newest: dict[str, Any] = field(factory=dict, repr=False)

    def creatorForNetloc(self, hostname: bytes, port: int) -> IOpenSSLClientConnectionCreator:
        """Return the creator of encrypted connections to a server, whose certificate must have its name."""
        from twisted.internet.ssl import optionsForClientTLS, platformTrust

        host = hostname.decode("ascii")
        trusted = self.trust if self.trust is not None else platformTrust()
        creator = optionsForClientTLS(host, trustRoot=trusted)
        if len(self._newest) >= _MOST_HOSTS:
            self._newest.clear()
        return _NotedCreator(creator, partial(self._newest.__setitem__, host))

    def reason(self, host: str) -> str | None:
        """
        Return why the certificate of a server was not trusted at the newest connection, in words, with the remedy.

        :return: ``None`` if OpenSSL does not say.
        """
        from OpenSSL import SSL

        connection = self._newest.get(host)
        library: Any = getattr(SSL, "_lib", None)  # pyOpenSSL has no function for it
        ask = getattr(library, "SSL_get_verify_result", None)
        code = ask(connection._ssl) if connection is not None and ask is not None else 0
        return _REASONS.get(code)


@implementer(IOpenSSLClientConnectionCreator)
@frozen
class _NotedCreator:
    """A creator of connections that notes the newest one, which knows afterwards why it was refused."""

    creator: Any
    note: Callable[[Any], None]

    def clientConnectionForTLS(self, tlsProtocol: Any) -> Any:
        """Return a connection."""
        connection = self.creator.clientConnectionForTLS(tlsProtocol)
        self.note(connection)
        return connection


def trust_file(path: Path, name: str = "ca") -> TrustPolicy:
    """
    Return a policy that trusts the certificates in a file, and no others.

    :param path: a PEM file; text between the certificates is ignored.
    :param name: the option, as errors name it.
    :raises BadSetting: if it contains no certificate, or one that cannot be read.
    """
    from OpenSSL.crypto import Error as CertificateError
    from twisted.internet.ssl import Certificate, trustRootFromCertificates

    try:
        blocks = _CERTIFICATE.findall(path.read_bytes())
    except OSError as error:
        raise BadSetting(f"{name}: {path}: {error.strerror}") from error
    if not blocks:
        raise BadSetting(f"{name}: {path}: has no certificate in PEM form")
    try:
        certificates = [Certificate.loadPEM(block) for block in blocks]
    except (CertificateError, ValueError) as error:
        raise BadSetting(f"{name}: {path}: has a certificate that cannot be read") from error
    return TrustPolicy(trustRootFromCertificates(certificates))
