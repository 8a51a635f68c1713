"""Tests for :mod:`patches.server.options`."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.server.options import Options, ServerSettings, window_size
from patches.server.sessions.chunk_response import MAX_RESPONSE_BYTES


def given(*arguments: str) -> ServerSettings:
    """Parse a command line."""
    options = Options()
    options.parseOptions(list(arguments))
    return options.settings


class WindowTests(SynchronousTestCase):
    """The size of a window."""

    def test_least(self) -> None:
        """A window has space for one chunk of the largest size, at least."""
        self.assertEqual(window_size(str(MAX_RESPONSE_BYTES)), MAX_RESPONSE_BYTES)
        self.assertEqual(window_size("2MiB"), 2**21)
        with self.assertRaisesRegex(ValueError, r"^must be (\d+)KiB or more") as caught:
            window_size(str(MAX_RESPONSE_BYTES - 1))
        least = str(caught.exception).split()[2]
        self.assertGreaterEqual(window_size(least), MAX_RESPONSE_BYTES)

    def test_not_a_size(self) -> None:
        """A text that is not a size is refused."""
        for text in ("", "many", "-1", "1 TB"):
            self.assertRaises(ValueError, window_size, text)


class OptionsTests(SynchronousTestCase):
    """The command line of the daemon."""

    def test_defaults(self) -> None:
        """By default it listens only on the loopback, reads public feeds, and serves all platforms."""
        settings = given()
        self.assertEqual(settings, ServerSettings())
        self.assertEqual(settings.http.listen, "tcp:8080:interface=127.0.0.1")
        sources, refresh = settings.sources, settings.refresh
        self.assertEqual((sources.no_public_sources, refresh.platforms, sources.clair), (False, None, None))
        self.assertEqual(refresh.refresh_interval, timedelta(hours=6))

    def test_values(self) -> None:
        """Options are parsed to their types; a flag has no value."""
        settings = given("--no-public-sources", "--platforms", "debian-12,wolfi", "--most-shrink", "5%")
        self.assertTrue(settings.sources.no_public_sources)
        self.assertEqual(settings.refresh.platforms, ("debian-12", "wolfi"))
        self.assertEqual(settings.refresh.most_shrink, 0.05)

    def test_sources(self) -> None:
        """Sources are tables in a file, which the command line takes precedence over."""
        path = Path(self.mktemp())
        path.write_text('max-active = 7\nmax-queued = 8\n[source.osv]\nkind = "osv"\nurl = "https://feeds.test"\n')
        settings = given("--config", str(path), "--max-active", "9")
        self.assertEqual((settings.sessions.max_active, settings.sessions.max_queued), (9, 8))
        self.assertEqual(settings.sources.source, {"osv": {"kind": "osv", "url": "https://feeds.test"}})

    def test_refused(self) -> None:
        """An invalid value ends the program with one line that names the option, without a secret."""
        for name, text in (
            ("window-bytes", "1KiB"),
            ("clair", "clair.test"),
            ("refresh-interval", "soon"),
            ("database", "mysql://me:s3cret@x"),
            ("platforms", "a b"),
            ("max-active", "0.5"),
        ):
            said = str(self.assertRaises(SystemExit, given, f"--{name}", text).code)
            self.assertTrue(said.startswith(f"patches-server: --{name}"), said)
            self.assertNotIn("\n", said)
            self.assertNotIn("s3cret", said)
