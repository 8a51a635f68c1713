"""
Reader of the dpkg database: ``var/lib/dpkg/status`` with the journal ``var/lib/dpkg/updates``, or
``var/lib/dpkg/status.d`` in images that dpkg did not build.

Each file is read once, line by line. A damaged stanza costs its own package; a truncated ``status`` is refused whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from attrs import evolve
from zope.interface import implementer

from patches.interfaces import IInventory
from patches.scanner.inventory import MOST_PACKAGES, InventoryError, Package
from patches.scanner.inventory.apt_lists import foreign_origins
from patches.scanner.inventory.dpkg_packages import entry_of, may_be_cut
from patches.scanner.inventory.dpkg_stanzas import READ, End, Stanza, StanzaReader
from patches.scanner.inventory.dpkg_updates import UPDATES, Entries, order_problem, update_names
from patches.scanner.inventory.rootfs import open_inside, resolve_inside

STATUS = "var/lib/dpkg/status"
STATUS_FOLDER = "var/lib/dpkg/status.d"


@implementer(IInventory)
class DpkgInventory:
    """The packages that dpkg has installed."""

    scheme = "dpkg"
    paths = (STATUS, STATUS_FOLDER, UPDATES)

    def present(self, root: Path) -> bool:
        """Return whether the host has a dpkg database. As for dpkg-query, a journal alone is one."""
        is_there = any(resolve_inside(root, path).exists() for path in (STATUS, STATUS_FOLDER))
        return is_there or bool(update_names(root))

    def read(self, root: Path) -> Iterator[Package]:
        """
        Yield every installed package, in one pass over each file.

        :raises InventoryError: if the database is truncated, cannot be read, or is not one.
        """
        entries = Entries()
        _merge_status(root, entries)
        _merge_updates(root, entries)
        packages = (*entries.packages(), *_packages_of_folder(root))
        origins = foreign_origins(root, {(package.name, package.version) for package in packages})
        for package in packages:
            origin = origins.get((package.name, package.version))
            yield evolve(package, vendor=origin) if origin else package


def _merge_status(root: Path, entries: Entries) -> None:
    try:
        if not resolve_inside(root, STATUS).exists():
            return
    except OSError as error:
        raise InventoryError(f"{STATUS}: {error.strerror}") from error
    is_described = False
    for stanza in _stanzas(root, STATUS):
        entry = entry_of(STATUS, stanza)
        if stanza.end is End.MIDDLE:
            raise InventoryError(f"{STATUS}, line {stanza.last}: the file ends in the middle of a line")
        if stanza.end is End.FILE and is_described and may_be_cut(stanza):
            raise InventoryError(f"{STATUS}, line {stanza.last}: the file ends in the middle of a stanza")
        is_described = is_described or b"description" in stanza.fields
        entries.add(entry)


def _merge_updates(root: Path, entries: Entries) -> None:
    names = update_names(root)
    problem = order_problem(names)
    for path in (f"{UPDATES}/{name}" for name in names):
        for stanza in _stanzas(root, path):
            if stanza.end is End.MIDDLE:
                stanza.problem = stanza.problem or f"line {stanza.last}: the file ends in the middle of a line"
            elif problem is not None:
                stanza.problem = stanza.problem or problem
            entries.replace(entry_of(path, stanza))


def _packages_of_folder(root: Path) -> Iterator[Package]:
    """Yield the packages of ``status.d``: there a stanza need not have a ``Status``, nor the last line a line feed."""
    try:
        folder = resolve_inside(root, STATUS_FOLDER)
        names = sorted(entry.name for entry in folder.iterdir()) if folder.exists() else []
    except OSError as error:
        raise InventoryError(f"{STATUS_FOLDER}: {error.strerror}") from error
    for path in (f"{STATUS_FOLDER}/{name}" for name in names if not name.endswith(".md5sums")):
        for stanza in _stanzas(root, path):
            if stanza.end is End.MIDDLE and stanza.current in READ:
                raise InventoryError(f"{path}, line {stanza.last}: the file ends in the middle of a line")
            stanza.fields.setdefault(b"status", b"install ok installed")
            if (package := entry_of(path, stanza).package) is not None:
                yield package


def _stanzas(root: Path, path: str) -> Iterator[Stanza]:
    """Yield the stanzas of a file. Raise :class:`InventoryError` if it cannot be read, or has too many of them."""
    try:
        with open_inside(root, path) as lines:
            reader = StanzaReader(path)
            for number, stanza in enumerate(reader.stanzas(lines)):
                if number == MOST_PACKAGES:
                    raise reader.damage("the file is too long to be a real database")
                yield stanza
    except OSError as error:
        raise InventoryError(f"{path}: {error.strerror}") from error
