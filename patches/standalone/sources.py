"""The sources of a command that reads a list by itself, as settings of a server."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from patches.platforms import Platform
from patches.scanner.options import StandaloneSettings
from patches.server.options import SourceSettings

#: The end of the name of an ecosystem's archive in OSV's bucket, and how other archives and records end.
_ALL, _FILES = "all.zip", (".zip", ".json", ".gz", ".xz", ".bz2", ".tar", ".tgz", ".zst")


def sources_of(settings: StandaloneSettings, platform: str) -> SourceSettings:
    """
    Return the settings of the sources.

    :param platform: the only one that is read.
    """
    if settings.list_file is not None:
        return SourceSettings(list_file=settings.list_file, no_public_sources=True)
    if settings.source is not None:
        section = {**settings.source, "platforms": platform}
        made = {**section, **_ecosystems(section, platform)}
        return SourceSettings(source={section["kind"]: made}, no_public_sources=True)
    return SourceSettings()


def _ecosystems(section: Mapping[str, str], platform: str) -> Mapping[str, Any]:
    """Return the ecosystems to read, if the source is a copy of OSV's bucket, which has a folder for each."""
    if section["kind"] != "osv":
        return {}
    from patches.sources.osv.ecosystems import ECOSYSTEMS

    names = sorted(ECOSYSTEMS.of_family(Platform.from_name(platform).family))
    if "path" in section:
        names = [name for name in names if (Path(section["path"]) / name / _ALL).is_file()]
    elif section["url"].endswith(_FILES):
        return {}
    return {"ecosystems": names} if names else {}
