"""What is installed on a host: one module for each package database, all giving :class:`Package`."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

from attrs import frozen

from patches.interfaces import IInventory

#: No host has more; a database that seems to have them is damaged, or made to fill the memory.
MOST_PACKAGES = 200_000


class InventoryError(Exception):
    """A package database that could not be read whole."""


@frozen
class Package:
    """
    A package that is installed.

    :ivar name: the binary package's name.
    :ivar version: its version, as the native tool shows it.
    :ivar arch: its architecture, ``amd64``; ``all`` or ``noarch`` where it has none.
    :ivar source: the name of the source package it was built from (apk: its origin); its own name if none is recorded.
    :ivar source_version: the version of that source package; of an rpm without its epoch, which is not recorded.
    :ivar module: the modularity label that an rpm was built with, ``name:stream:version:context``, or ``None``.
    :ivar vendor: who built an rpm, or from whose repository a Debian package came; ``None`` if that is not known.
    """

    name: str
    version: str
    arch: str
    source: str
    source_version: str
    module: str | None = None
    vendor: str | None = None


def package_document(package: Package) -> dict[str, Any]:
    """Describe an installed package."""
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
    Everything that is installed on a host.

    :ivar scheme: how the versions compare: ``dpkg``, ``rpm`` or ``apk``.
    :ivar packages: each package once; never empty.
    :ivar channels: the channels that the host is subscribed to: ``esm`` of Ubuntu Pro.
    """

    scheme: str
    packages: tuple[Package, ...]
    channels: frozenset[str] = frozenset()


def databases() -> tuple[IInventory, ...]:
    """Give every package database format there is a reader for, in the order in which they are looked for."""
    from patches.scanner.inventory.apk import ApkInventory
    from patches.scanner.inventory.dpkg import DpkgInventory
    from patches.scanner.inventory.rpm import RpmInventory

    return (DpkgInventory(), ApkInventory(), RpmInventory())


def read_inventory(root: Path, scheme: str | None = None) -> Inventory:
    """
    Read the inventory of the host whose root folder is ``root``.

    :param scheme: look only for databases whose versions compare so; ``None``: the first that holds a package. A host
        may have the database of a foreign package tool, empty.
    :raises InventoryError: if there is none, or the one that is there holds nothing or cannot be read whole.
    """
    empty = []
    for database in databases():
        if scheme in (None, database.scheme) and _present(database, root):
            packages = tuple(islice(database.read(root), MOST_PACKAGES + 1))
            if len(packages) > MOST_PACKAGES:
                raise InventoryError(
                    f"the {database.scheme} database under {root} is not to be believed: it is too long"
                )
            if packages:
                return Inventory(database.scheme, tuple(dict.fromkeys(packages)))
            empty.append(database.scheme)
    if empty:
        raise InventoryError(f"the {' and '.join(empty)} database under {root} holds no installed package")
    raise InventoryError(f"no package database found under {root}")


def _present(database: IInventory, root: Path) -> bool:
    try:
        return bool(database.present(root))
    except OSError as error:
        raise InventoryError(f"{error.filename}: {error.strerror}") from error
