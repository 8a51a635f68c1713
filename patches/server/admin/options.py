"""The options of ``patches catalogue`` and its commands; this module imports nothing large."""

from __future__ import annotations

from pathlib import Path

from patches.settings import Setting, flag, one_of, platforms, seconds
from patches.storage.database_url import database_url

TABLE, JSON = "table", "json"

#: The options of every command: the location of the catalogue.
PLACE_SETTINGS = (
    Setting("state-dir", "/var/lib/patches-server", Path, "The state folder of the patches-server."),
    Setting("database", None, database_url, "The catalogue's database, if the server was given one.", secret=True),
)
_FORM = Setting("format", TABLE, one_of(TABLE, JSON), f"The output format: {TABLE} or {JSON}.")
_PLATFORMS = Setting("platform", None, platforms, "Only these platforms, separated by commas; all if not given.")

SHOWN_SETTINGS = (*PLACE_SETTINGS, _FORM)
SHOW_SETTINGS = (*PLACE_SETTINGS, _PLATFORMS, _FORM)
PRUNE_SETTINGS = (
    *PLACE_SETTINGS,
    Setting("keep", "1d", seconds, "Keep snapshots that were replaced within this time (30s, 10m, 6h, 1d)."),
)
EXPORT_SETTINGS = (
    *PLACE_SETTINGS,
    _PLATFORMS,
    Setting("signing-key", None, Path, "Sign with this Ed25519 private key (PEM); unsigned if not given."),
)
IMPORT_SETTINGS = (
    *PLACE_SETTINGS,
    Setting("verify-key", None, Path, "Accept only bundles that are signed with this Ed25519 public key (PEM)."),
    Setting("force", "false", flag, "Accept a list that is older than the current one."),
)

EXPLAINED = """
Exit codes: 0 done; 1 check found damage, or show found no record; 2 wrong usage: no such revision, no such platform, or
nothing is held back; 5 there is no catalogue, or it cannot be used, or a
bundle is refused.
"""
