"""The sources of a command that reads a list by itself, as settings of a server."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from patches.platforms import Platform
from patches.server.options import SourceSettings

#: The end of the name of an ecosystem's archive in OSV's bucket, and how other archives and records end.
_ALL, _FILES = "all.zip", (".zip", ".json", ".gz", ".xz", ".bz2", ".tar", ".tgz", ".zst")


def sources_of(platform: str, source: Mapping[str, str] | None, list_file: Path | None) -> SourceSettings:
    """
    Return the settings of the sources.

    :param platform: the only one that is read.
    :param source: the section of the only source.
    :param list_file: the file of the only list; if there is neither, the public feed of the platform is read.
    """
    if list_file is not None:
        return SourceSettings(list_file=list_file, no_public_sources=True)
    if source is not None:
        section = {**source, "platforms": platform}
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
