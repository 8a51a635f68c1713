"""Tests for :mod:`patches.scanner.doctor.configuration`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.doctor.check import OK, PROBLEM, WARNING
from patches.scanner.doctor.configuration import ConfigurationFacts, check_configuration


class ConfigurationTests(SynchronousTestCase):
    """The check of the options that were found."""

    def test_states(self) -> None:
        """A file that cannot be used is a problem, an unknown variable a warning; it is said where options are from."""
        for found, state, text in (
            (ConfigurationFacts(), OK, "no file and no variable has options"),
            (ConfigurationFacts(("/etc/patches/scanner.toml",)), OK, "/etc/patches/scanner.toml"),
            (ConfigurationFacts((), ("PATCHES_X is set",)), WARNING, "PATCHES_X is set"),
            (ConfigurationFacts((), ("PATCHES_X is set",), "x.toml: not TOML"), PROBLEM, "x.toml: not TOML"),
        ):
            check = check_configuration(found)
            self.assertEqual((check.state, check.text), (state, text))
