"""Readers of the installed packages: one module for each format of package database, all yielding :class:`Package`."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from attrs import evolve, field, frozen

from patches.interfaces import IInventory

#: The most packages of a host. A database with more of them is damaged, or was made to fill the memory.
MOST_PACKAGES = 200_000
_LONGEST_PROBLEM = 300


class InventoryError(Exception):
    """A package database cannot be read; the text says why, in one line."""


@frozen(cache_hash=True)
class Package:
    """
    An installed package.

    :ivar name: the name of the binary package.
    :ivar version: its version, as the native tool shows it.
    :ivar arch: its architecture, such as ``amd64``; ``all`` or ``noarch`` if it is for every architecture.
    :ivar source: the name of its source package (apk: its origin); its own name if no source is recorded.
    :ivar source_version: the version of the source package; for an rpm without the epoch, which is not recorded.
    :ivar module: the modularity label of an rpm, ``name:stream:version:context``; ``None`` if it has no label.
    :ivar vendor: the builder of an rpm, or the origin of a Debian package's repository; ``None`` if it is not known.
    :ivar repository: the repository from which an rpm was installed, as yum or dnf recorded it; ``None`` if it is not
        known.
    :ivar problem: why the package cannot be evaluated, if its entry in the database is damaged or incomplete; else
        ``None``. Its name is then as much of it as can be read.
    """

    name: str
    version: str
    arch: str
    source: str
    source_version: str
    module: str | None = None
    vendor: str | None = None
    repository: str | None = None
    problem: str | None = None


def damaged_package(place: str, problem: str, package: Package | None = None) -> Package:
    """
    Return a package that cannot be evaluated, because its entry in the database is damaged.

    :param place: the place of the entry in the database; it stands for the name if that cannot be read.
    :param problem: the reason, in one line.
    :param package: what can be read of it; its name may be empty.
    """
    package = package or Package("", "", "", "", "")
    name = package.name or f"({place})"
    return evolve(package, name=name, source=package.source or name, problem=problem[:_LONGEST_PROBLEM])


def is_unnamed(package: Package) -> bool:
    """Return whether a package is damaged so that not even its name can be read."""
    return package.problem is not None and package.name.startswith("(")


def package_document(package: Package) -> dict[str, Any]:
    """Return an installed package in the wire format."""
    return {
        "name": package.name,
        "version": package.version,
        "source": package.source,
        "sourceVersion": package.source_version,
        "arch": package.arch,
    }


@frozen
class Inventory:
    """
    The installed packages of a host.

    :ivar scheme: the version scheme: ``dpkg``, ``rpm`` or ``apk``.
    :ivar packages: each package once; never empty.
    :ivar tracks: the tracks that are enabled on the host besides the main line, such as ``esm`` of Ubuntu Pro.
    :ivar platform: the platform whose list the packages are compared with; empty if it is not known yet.
    :ivar foreign: the packages that are not from the distribution, with the reason.
    """

    scheme: str
    packages: tuple[Package, ...]
    tracks: frozenset[str] = frozenset()
    platform: str = ""
    foreign: Mapping[Package, str] = field(factory=dict)


def databases() -> tuple[IInventory, ...]:
    """Return the reader of each format of package database, in the order in which they are tried."""
    from patches.scanner.inventory.apk import ApkInventory
    from patches.scanner.inventory.dpkg import DpkgInventory
    from patches.scanner.inventory.rpm import RpmInventory

    return (DpkgInventory(), ApkInventory(), RpmInventory())


def read_inventory(root: Path, scheme: str | None = None) -> Inventory:
    """
    Read the inventory of the host whose root folder is ``root``.

    :param scheme: read only databases of this version scheme; ``None`` reads the first database that is not empty: a
        host may have an empty database of a foreign package tool.
    A damaged entry of a database is a package with a ``problem``, and the others are read.

    :raises InventoryError: if no database exists, or it is empty, truncated or unreadable, or no entry can be read.
    """
    empty = []
    for database in databases():
        if scheme in (None, database.scheme) and _present(database, root):
            packages = tuple(islice(database.read(root), MOST_PACKAGES + 1))
            if len(packages) > MOST_PACKAGES:
                raise InventoryError(f"the {database.scheme} database under {root} is too long to be a real database")
            if packages and all(map(is_unnamed, packages)):
                raise InventoryError(f"{packages[0].problem}: not a {database.scheme} database")
            if packages:
                return Inventory(database.scheme, tuple(dict.fromkeys(packages)))
            empty.append(database.scheme)
    if empty:
        raise InventoryError(f"the {' and '.join(empty)} database under {root} has no installed package")
    raise InventoryError(f"no package database found under {root}")


def _present(database: IInventory, root: Path) -> bool:
    try:
        return bool(database.present(root))
    except OSError as error:
        raise InventoryError(f"{error.filename}: {error.strerror}") from error
