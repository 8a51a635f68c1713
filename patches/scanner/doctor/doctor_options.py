"""The options of ``patches doctor``: those of a scan, whose places it checks."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from patches.scanner.options import AccessSettings, HostSettings, PolicySettings
from patches.setting_parsers import one_of, url
from patches.settings import group, option

TABLE, JSON = "table", "json"


@frozen(kw_only=True)
class DoctorSettings:
    """The options of ``patches doctor``."""

    access: AccessSettings = group(AccessSettings)
    host: HostSettings = group(HostSettings)
    policy: PolicySettings = group(PolicySettings)
    reporter: str | None = option(None, url, "The URL to which reports are posted.")
    cache: Path | None = option(
        None, Path, "The folder of kept lists; /var/cache/patches, or ~/.cache/patches, if not given."
    )
    format: str = option(TABLE, one_of(TABLE, JSON), f"The output format: {TABLE}, a line for each check, or {JSON}.")


DOCTOR_EXPLAINED = """
Exit codes: 0 nothing is wrong, or there are warnings only; 1 something is wrong; 2 wrong usage; 130 interrupted.
"""
