"""
Detection of packages from third-party repositories, by apt's package lists in ``var/lib/apt/lists``.

Source: sources.list(5) and the format of Debian's repositories. ``…_InRelease`` has the ``Origin`` of a repository, and
``…_Packages`` beside it lists its packages. The lists of the distribution, which are long, are read only if a
third-party repository offers an installed version, which may be a copy of the distribution's.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from pathlib import Path

from patches.scanner.inventory.apt_list_files import Lists
from patches.scanner.inventory.rootfs import open_inside, resolve_inside

LISTS = "var/lib/apt/lists"
_RELEASE = re.compile(r"(.+_)(?:In)?Release\Z")
_OWN = ("debian", "ubuntu", "raspbian")
_MOST_RELEASE_BYTES = 64 * 1024
_MOST_PACKAGES = 500_000


def foreign_origins(root: Path, installed: Container[tuple[str, str]] | None = None) -> dict[tuple[str, str], str]:
    """
    Return the origins of each package, by name and version, that third-party repositories offer and no other does.

    Files that cannot be read are skipped, so a package that is not in the result need not be the distribution's.

    :param installed: the names and versions to return; ``None``: all.
    :return: several origins of a package are separated by ``"; "``.
    """
    lists, names = Lists(root, LISTS), _names(root)
    found: dict[tuple[str, str], set[str]] = {}
    own: list[str] = []
    for prefix, origin in _repositories(root, names):
        packages = [name for name in names if name.startswith(prefix) and "_Packages" in name]
        if origin.lower().startswith(_OWN):
            own += packages
            continue
        for package in (each for name in packages for each in _offered(lists, name)):
            if (installed is None or package in installed) and (package in found or len(found) < _MOST_PACKAGES):
                found.setdefault(package, set()).add(origin)
    if found:
        for package in (each for name in dict.fromkeys(own) for each in _offered(lists, name)):
            found.pop(package, None)
    return {package: "; ".join(sorted(origins)) for package, origins in found.items()}


def _names(root: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in resolve_inside(root, LISTS).iterdir())
    except OSError:
        return []


def _repositories(root: Path, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the beginning of the names of each repository's files, and its origin."""
    for name in names:
        release = _RELEASE.match(name)
        origin = _origin(root, name) if release else None
        if release and origin:
            yield release[1], origin


def _origin(root: Path, name: str) -> str | None:
    try:
        with open_inside(root, f"{LISTS}/{name}") as file:
            found = re.search(rb"^Origin:[ \t]*(.+?)[ \t\r]*$", file.read(_MOST_RELEASE_BYTES), re.MULTILINE)
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
