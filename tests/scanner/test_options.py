"""From options to the target and the policy of a scan."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.matching.coverage import Origins
from patches.scanner.matching.ignore_files import BadIgnores
from patches.scanner.options import (
    ONCE_SETTINGS,
    OUTPUT_SETTINGS,
    SCAN_SETTINGS,
    Options,
    policy_of,
    severity_limit,
    target_of,
    unjudged_limit,
)
from patches.settings import BadSetting, resolve
from patches.vulnerability import Severity


class OptionTests(SynchronousTestCase):
    """From options to the target and the policy of a scan."""

    def values(self, **given: str) -> dict[str, Any]:
        """Resolve options; underscores in names become hyphens."""
        return resolve(ONCE_SETTINGS, {name.replace("_", "-"): text for name, text in given.items()})

    def test_policy(self) -> None:
        """The age and what is shown come from the options; without a file nothing is ignored."""
        policy = policy_of(self.values(max_age="2d", include_unfixed="true"))
        self.assertEqual((policy.max_age and policy.max_age.days, policy.with_unfixed), (2, True))
        self.assertEqual(policy.ignores.decisions, ())
        default = policy_of(self.values())
        self.assertEqual((default.max_age and default.max_age.days, default.with_unfixed), (7, False))
        self.assertRaises(BadIgnores, policy_of, self.values(ignore=self.mktemp()))

    def test_tracks(self) -> None:
        """Tracks of the option override the detected ones; ``none`` is the empty list."""
        for text, tracks in {"esm": {"esm"}, "esm, fips": {"esm", "fips"}, "none": set()}.items():
            self.assertEqual(target_of(self.values(platform="debian-12", track=text)).tracks, tracks)
        self.assertIsNone(target_of(self.values(platform="debian-12")).tracks)
        for text in ("", ",", "none,esm", "a b", "frobnicate", "eus9.4"):
            self.assertRaises(BadSetting, self.values, track=text)

    def test_origins(self) -> None:
        """Origins are separated by commas, and may have patterns."""
        values = self.values(platform="debian-12", own_origins="ACME*, mirror", foreign_origins="tools")
        self.assertEqual(target_of(values).origins, Origins(("ACME*", "mirror"), ("tools",)))
        self.assertEqual(target_of(self.values(platform="debian-12")).origins, Origins())
        self.assertRaises(BadSetting, self.values, own_origins=" , ")

    def test_unjudged(self) -> None:
        """The number of unjudged packages from which a scan fails; without a number it is 1."""
        (setting,) = (each for each in OUTPUT_SETTINGS if each.name == "fail-on-unjudged")
        self.assertEqual((setting.implied, setting.default), ("1", "never"))
        self.assertEqual([unjudged_limit(text) for text in ("never", "1", "25")], [None, 1, 25])
        for text in ("0", "-1", "some"):
            self.assertRaises(ValueError, unjudged_limit, text)

    def test_limits(self) -> None:
        """A limit is a severity, or never."""
        self.assertEqual((severity_limit("high"), severity_limit("never")), (Severity.HIGH, None))
        self.assertRaises(BadSetting, self.values, fail_on="7")

    def test_daemon(self) -> None:
        """A daemon accepts the flag without a value, and rejects the options of a single scan."""
        options = Options()
        options.parseOptions(["--include-unfixed", "--max-age", "1d", "--track", "esm"])
        self.assertEqual((options.resolved["include-unfixed"], options.resolved["track"]), (True, {"esm"}))
        plain = Options()
        plain.parseOptions([])
        self.assertIs(plain.resolved["include-unfixed"], False)
        self.assertEqual({"format", "output", "quiet"} & {each.name for each in SCAN_SETTINGS}, set())
