"""Tests for :mod:`patches.service.places.user_folders`."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.service.places.user_folders import cache_folder, config_folder


class UserFoldersTests(SynchronousTestCase):
    """The folders of the XDG Base Directory Specification."""

    def test_cache(self) -> None:
        """That of the user, wherever it is; root's is the system's. A relative path is ignored."""
        home = Path.home()
        for environment, uid, expected in (
            ({}, 1000, home / ".cache/patches"),
            ({"XDG_CACHE_HOME": "/srv/cache"}, 1000, Path("/srv/cache/patches")),
            ({"XDG_CACHE_HOME": "cache"}, 1000, home / ".cache/patches"),
            ({"XDG_CACHE_HOME": ""}, 1000, home / ".cache/patches"),
            ({"XDG_CACHE_HOME": "/srv/cache"}, 0, Path("/var/cache/patches")),
        ):
            self.assertEqual(cache_folder(environment, uid), expected)

    def test_config(self) -> None:
        """That of the user, root's included."""
        self.assertEqual(config_folder({}), Path.home() / ".config/patches")
        self.assertEqual(config_folder({"XDG_CONFIG_HOME": "/srv/config"}), Path("/srv/config/patches"))
