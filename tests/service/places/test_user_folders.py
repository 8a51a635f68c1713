"""Tests for :mod:`patches.service.places.user_folders`."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.options import option_files
from patches.service.places.user_folders import SYSTEM_STATE, NoHomeFolder, cache_folder, config_folder, state_folder


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

    def test_state(self) -> None:
        """
        The system's folder is root's; for a user who cannot write to it, it stands for a folder of the user's own.

        A folder that was named is always that folder.
        """
        self.patch(os, "access", lambda path, mode: False)
        home, xdg = Path.home(), {"XDG_STATE_HOME": "/srv/state"}
        self.assertEqual(state_folder(SYSTEM_STATE, {}, 1000), home / ".local/state/patches")
        self.assertEqual(state_folder(SYSTEM_STATE, xdg, 1000), Path("/srv/state/patches"))
        self.assertEqual(state_folder(SYSTEM_STATE, xdg, 0), SYSTEM_STATE)
        self.assertEqual(state_folder(Path("/srv/named"), xdg, 1000), Path("/srv/named"))
        self.patch(os, "access", lambda path, mode: True)  # the user of the service
        self.assertEqual(state_folder(SYSTEM_STATE, xdg, 1000), SYSTEM_STATE)

    def test_no_home(self) -> None:
        """A user without a home folder has no folders, unless a variable names one; the line says how to name one."""

        def no_home() -> Path:
            raise RuntimeError("Could not determine home directory.")

        self.patch(Path, "home", no_home)
        self.patch(os, "access", lambda path, mode: False)
        error = self.assertRaises(NoHomeFolder, cache_folder, {}, 1000)
        self.assertEqual(str(error), "this user has no home folder: name one in HOME or XDG_CACHE_HOME")
        self.assertRaises(NoHomeFolder, config_folder, {})
        self.assertEqual(cache_folder({"XDG_CACHE_HOME": "/srv/cache"}, 1000), Path("/srv/cache/patches"))
        self.assertEqual(state_folder(SYSTEM_STATE, {}, 1000), SYSTEM_STATE)
        self.assertEqual(option_files(), (Path("/etc/patches/scanner.toml"),))
