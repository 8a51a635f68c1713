"""The options of ``patches catalogue`` and its commands; this module imports nothing large."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from attrs import frozen

from patches.server.options import CatalogueSettings
from patches.setting_parsers import flag, one_of, platform_names, seconds
from patches.settings import group, option

TABLE, JSON = "table", "json"


@frozen(kw_only=True)
class FormatSettings:
    """The form of the output."""

    format: str = option(TABLE, one_of(TABLE, JSON), f"The output format: {TABLE} or {JSON}.")


@frozen(kw_only=True)
class ChoiceSettings:
    """The choice of snapshots."""

    platforms: tuple[str, ...] | None = option(
        None, platform_names, "Only these platforms, separated by commas; all if not given.", name="platform"
    )


@frozen(kw_only=True)
class ListSettings:
    """The options of ``list``, ``diff`` and ``check``."""

    catalogue: CatalogueSettings = group(CatalogueSettings)
    output: FormatSettings = group(FormatSettings)


@frozen(kw_only=True)
class ShowSettings:
    """The options of ``show``."""

    catalogue: CatalogueSettings = group(CatalogueSettings)
    choice: ChoiceSettings = group(ChoiceSettings)
    output: FormatSettings = group(FormatSettings)


@frozen(kw_only=True)
class PruneSettings:
    """The options of ``prune``."""

    catalogue: CatalogueSettings = group(CatalogueSettings)
    keep: timedelta = option("1d", seconds, "Keep snapshots that were replaced within this time (30s, 10m, 6h, 1d).")


@frozen(kw_only=True)
class ExportSettings:
    """The options of ``export``."""

    catalogue: CatalogueSettings = group(CatalogueSettings)
    choice: ChoiceSettings = group(ChoiceSettings)
    signing_key: Path | None = option(None, Path, "Sign with this Ed25519 private key (PEM); unsigned if not given.")


@frozen(kw_only=True)
class ImportSettings:
    """The options of ``import``."""

    catalogue: CatalogueSettings = group(CatalogueSettings)
    verify_key: Path | None = option(
        None, Path, "Accept only bundles that are signed with this Ed25519 public key (PEM)."
    )
    force: bool = option("false", flag, "Accept a list that is older than the current one.")


EXPLAINED = """
Exit codes: 0 done; 1 check found damage, or show found no record; 2 wrong usage: no such revision, no such platform, or
nothing is held back; 5 there is no catalogue, or it cannot be used, or a
bundle is refused.
"""
