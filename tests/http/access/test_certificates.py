"""Tests for :mod:`patches.http.access.certificates`; handshakes are in ``tests/integration/test_scanner_access.py``."""

from __future__ import annotations

from pathlib import Path

from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.iweb import IPolicyForHTTPS
from zope.interface.verify import verifyObject

from patches.http.access.certificates import TrustPolicy, trust_file
from patches.settings import BadSetting
from tests.integration.web_servers import make_certificates


class CertificatesTests(SynchronousTestCase):
    """The authorities that a client trusts."""

    def test_interfaces(self) -> None:
        """The policy and its creators are what Twisted expects; before a connection no reason is known."""
        policy = TrustPolicy()
        verifyObject(IPolicyForHTTPS, policy)
        verifyObject(IOpenSSLClientConnectionCreator, policy.creatorForNetloc(b"lists.example", 443))
        self.assertIsNone(policy.reason("lists.example"))

    def test_file(self) -> None:
        """A PEM file may have text between its certificates."""
        folder = Path(self.mktemp())
        folder.mkdir()
        ca, _ = make_certificates(folder, "lists.example")
        self.assertIsNotNone(trust_file(ca).trust)

    def test_unusable(self) -> None:
        """A file without a certificate, or with a damaged one, is an error in one line that names the option."""
        path = Path(self.mktemp())
        for content, why in (
            (None, "No such file"),
            (b"", "has no certificate in PEM form"),
            (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cannot be read"),
        ):
            if content is not None:
                path.write_bytes(content)
            error = self.assertRaises(BadSetting, trust_file, path, "--ca")
            self.assertTrue(str(error).startswith(f"--ca: {path}: "), error)
            self.assertIn(why, str(error))
