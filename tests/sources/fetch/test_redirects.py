"""Tests for :mod:`patches.sources.fetch.redirects`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.errors import SourceError
from patches.sources.fetch.redirects import REDIRECTS, redirected, same_server, without_credentials


class RedirectTests(SynchronousTestCase):
    """URLs."""

    def test_statuses(self) -> None:
        """Only these statuses redirect."""
        self.assertEqual(set(REDIRECTS), {301, 302, 303, 307, 308})

    def test_shown(self) -> None:
        """User and password are removed, wherever an @ is."""
        for url, expected in (
            ("https://x.test/a", "https://x.test/a"),
            ("https://me:secret@x.test/a@b", "https://x.test/a@b"),
            ("https://me:se@cret@x.test", "https://x.test"),
            ("no url", "no url"),
        ):
            self.assertEqual(without_credentials(url), expected)

    def test_redirected(self) -> None:
        """A redirect is relative to the requested URL; it never leads from https to http."""
        for url, location, expected in (
            ("https://x.test/a/b", b"c", "https://x.test/a/c"),
            ("http://x.test/a", b"https://y.test/", "https://y.test/"),
            ("http://x.test/a", b"http://y.test/", "http://y.test/"),
        ):
            self.assertEqual(redirected(url, location), expected)
        for location in (b"http://x.test/a", b"ftp://x.test/", b"https://x.test:0/", b"https://["):
            self.assertRaises(SourceError, redirected, "https://x.test/a", location)

    def test_same_server(self) -> None:
        """Another host, port or scheme is another server, except https instead of http on the default ports."""
        for configured, url, expected in (
            ("https://x.test/a", "https://x.test:443/b", True),
            ("https://x.test/a", "https://X.test/b", True),
            ("https://x.test/a", "https://x.test:8443/b", False),
            ("https://x.test/a", "https://y.test/a", False),
            ("http://x.test/a", "https://x.test/a", True),
            ("https://x.test/a", "http://x.test/a", False),
            ("http://x.test:8080/a", "https://x.test/a", False),
            ("http://x.test/a", "https://x.test:8443/a", False),
        ):
            self.assertIs(same_server(configured, url), expected, (configured, url))
