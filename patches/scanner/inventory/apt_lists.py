"""
Detection of packages from third-party repositories, by apt's package lists in ``var/lib/apt/lists``.

Source: sources.list(5) and the format of Debian's repositories. ``…_InRelease`` has the ``Origin`` of a repository, and
``…_Packages`` beside it lists its packages. Only the lists of third-party repositories are read, which are short.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from patches.scanner.inventory.apt_list_files import Lists
from patches.scanner.inventory.rootfs import open_inside, resolve_inside

LISTS = "var/lib/apt/lists"
_RELEASE = re.compile(r"(.+_)(?:In)?Release\Z")
_OWN = ("debian", "ubuntu", "raspbian")
_MOST_RELEASE_BYTES = 64 * 1024
_MOST_PACKAGES = 500_000


def foreign_origins(root: Path) -> dict[tuple[str, str], str]:
    """
    Return the origin of each package, by name and version, that a third-party repository offers.

    Files that cannot be read are skipped, so a package that is not in the result need not be the distribution's.
    """
    origins: dict[tuple[str, str], str] = {}
    lists = Lists(root, LISTS)
    try:
        names = sorted(entry.name for entry in resolve_inside(root, LISTS).iterdir())
    except OSError:
        return origins
    for name in names:
        release = _RELEASE.match(name)
        origin = _origin(root, name) if release else None
        if release and origin and not origin.lower().startswith(_OWN):
            for listed in (each for each in names if each.startswith(release[1]) and "_Packages" in each):
                for package in _offered(lists, listed):
                    if len(origins) < _MOST_PACKAGES:
                        origins[package] = origin
    return origins


def _origin(root: Path, name: str) -> str | None:
    try:
        with open_inside(root, f"{LISTS}/{name}") as file:
            found = re.search(rb"^Origin:[ \t]*(.+?)[ \t]*$", file.read(_MOST_RELEASE_BYTES), re.MULTILINE)
    except OSError:
        return None
    return found[1].decode("utf-8", "replace")[:80] if found else None


def _offered(lists: Lists, name: str) -> Iterator[tuple[str, str]]:
    """Yield the names and versions of the packages in a file, as far as it can be read."""
    package = b""
    for line in lists.lines(name):
        field, _, value = line.partition(b":")
        if field == b"Package":
            package = value.strip()
        elif field == b"Version" and package:
            yield package.decode("utf-8", "replace"), value.strip().decode("utf-8", "replace")
