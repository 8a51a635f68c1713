"""The options of ``patches list``: those of a scan that concern its list, and which lists are shown."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from attrs import frozen

from patches.scanner.options import AccessSettings, StandaloneSettings, folder, platform_name
from patches.setting_parsers import flag, one_of, seconds
from patches.settings import group, option

TABLE, JSON = "table", "json"


@frozen(kw_only=True)
class PlaceSettings:
    """The platform of a list, and the folder in which it is kept."""

    platform: str | None = option(
        None, platform_name, "The platform of the list, such as debian-12; read from os-release if not given."
    )
    root: Path = option("/", folder, "The root folder of the host whose os-release is read.")
    cache: Path | None = option(
        None, Path, "The folder of kept lists; /var/cache/patches, or ~/.cache/patches, if not given."
    )


@frozen(kw_only=True)
class ListUpdateSettings:
    """The options of ``patches list update``."""

    place: PlaceSettings = group(PlaceSettings)
    access: AccessSettings = group(AccessSettings)
    standalone: StandaloneSettings = group(StandaloneSettings)
    accept: bool = option(
        "false", flag, "Accept the list that is held back because it has shrunk, where it is read without a server."
    )
    quiet: bool = option("false", flag, "Print no progress and no notes.")


@frozen(kw_only=True)
class ListStatusSettings:
    """The options of ``patches list status``."""

    platform: str | None = option(None, platform_name, "Only the list of this platform; all that are kept otherwise.")
    cache: Path | None = option(
        None, Path, "The folder of kept lists; /var/cache/patches, or ~/.cache/patches, if not given."
    )
    max_age: timedelta = option("7d", seconds, "A list that was last checked longer ago is stale.")
    format: str = option(TABLE, one_of(TABLE, JSON), f"The output format: {TABLE} or {JSON}.")


@frozen(kw_only=True)
class ListShowSettings:
    """The options of ``patches list show``."""

    place: PlaceSettings = group(PlaceSettings)


UPDATE_EXPLAINED = """
Exit codes: 0 the kept list is up to date; 2 wrong usage, or --accept and no list is held back; 3 the list could not be
brought up to date, or not be verified: the one that is kept stays; 4 the platform cannot be detected, or nobody has its
list; 5 the list cannot be kept; 130 interrupted.
"""
STATUS_EXPLAINED = """
Exit codes: 0 no kept list is stale; 2 wrong usage; 3 a list is stale or damaged, or no list is kept.
"""
SHOW_EXPLAINED = """
Exit codes: 0 records were printed; 1 no record has one of the names; 2 wrong usage; 3 no list of the platform is kept,
or it is damaged; 4 the platform cannot be detected.
"""
