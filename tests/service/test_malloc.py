"""Tests for :mod:`patches.service.malloc`."""

from __future__ import annotations

import platform

from twisted.trial.unittest import SynchronousTestCase

from patches.service.malloc import give_back


class GiveBackTests(SynchronousTestCase):
    """Memory that is given back."""

    def test_glibc(self) -> None:
        """With glibc, freed memory is given back; other C libraries have no function for it, and nothing happens."""
        self.assertIs(give_back(), platform.libc_ver()[0] == "glibc")
