"""Tests for :mod:`patches.scanner.options`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.options import (
    OutputSettings,
    ScanCommandSettings,
    ScannerSettings,
    ScanSettings,
    unjudged_limit,
)
from patches.scanner.output.fail_on import FailOn
from patches.scanner.service import Options
from patches.settings import BadSetting, resolve, settings_of
from patches.vulnerability import Severity


class OptionTests(SynchronousTestCase):
    """The options of the daemon and of the commands."""

    def settings(self, **given: str) -> ScanCommandSettings:
        """Resolve options; underscores in names become hyphens."""
        return resolve(ScanCommandSettings, {name.replace("_", "-"): text for name, text in given.items()})

    def test_tracks(self) -> None:
        """Tracks are separated by commas; ``none`` is the empty list."""
        for text, tracks in {"esm": {"esm"}, "esm, fips": {"esm", "fips"}, "none": set()}.items():
            self.assertEqual(self.settings(track=text).host.track, tracks)
        self.assertIsNone(self.settings().host.track)
        for text in ("", ",", "none,esm", "a b", "frobnicate", "eus9.4"):
            self.assertRaises(BadSetting, self.settings, track=text)

    def test_origins(self) -> None:
        """Origins are separated by commas, and may have patterns."""
        self.assertEqual(self.settings(own_origins="ACME*, mirror").host.own_origins, ("ACME*", "mirror"))
        self.assertRaises(BadSetting, self.settings, own_origins=" , ")

    def test_older_names(self) -> None:
        """The options of the first scanner are accepted on the command line of the daemon."""
        options = Options()
        options.parseOptions(["--mozdef-proxy", "http://reporter.test", "--channel", "esm"])
        self.assertEqual((options.settings.reporter, options.settings.host.track), ("http://reporter.test", {"esm"}))

    def test_unjudged(self) -> None:
        """The number of unjudged packages from which a scan fails; without a number it is 1."""
        (setting,) = (each for each in settings_of(OutputSettings) if each.name == "fail-on-unjudged")
        self.assertEqual((setting.implied, setting.default), ("1", "never"))
        self.assertEqual([unjudged_limit(text) for text in ("never", "1", "25")], [None, 1, 25])
        for text in ("0", "-1", "some"):
            self.assertRaises(ValueError, unjudged_limit, text)

    def test_limits(self) -> None:
        """A limit is a severity, KEV, a band of EPSS, or never."""
        (setting,) = (each for each in settings_of(OutputSettings) if each.name == "fail-on")
        self.assertEqual(
            (setting.parse and setting.parse("high"), setting.parse and setting.parse("never")),
            (FailOn(Severity.HIGH), FailOn()),
        )
        self.assertRaises(BadSetting, self.settings, fail_on="7")

    def test_daemon(self) -> None:
        """A daemon accepts the flag without a value, and rejects the options of a single scan."""
        options = Options()
        options.parseOptions(["--include-unfixed", "--max-age", "1d", "--track", "esm"])
        self.assertEqual((options.settings.policy.include_unfixed, options.settings.host.track), (True, {"esm"}))
        plain = Options()
        plain.parseOptions([])
        self.assertIs(plain.settings.policy.include_unfixed, False)
        for declared in (ScannerSettings, ScanSettings):
            names = {each.name for each in settings_of(declared)}
            self.assertEqual({"format", "output", "quiet"} & names, set())
