"""
The journal of dpkg, ``var/lib/dpkg/updates``, and its merging with ``var/lib/dpkg/status``.

dpkg appends a file to the journal with each change, and writes ``status`` anew when it ends. While it runs, and after
it was interrupted, ``status`` alone is an old picture.

Source: dpkg's ``lib/dpkg/dbmodify.c`` (``cleanupdates``, ``ulist_select``): the names of the files have digits only,
all the same number of them, at most ten, and the files are applied in the order of their names.
``lib/dpkg/parse.c`` (``parse_find_set_slot``, ``parse_find_pkg_slot``): a stanza replaces the whole entry of its
package. Several architectures of a package can be installed only if each of them has ``Multi-Arch: same``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from attrs import define, evolve, field, frozen

from patches.scanner.inventory import InventoryError, Package
from patches.scanner.inventory.rootfs import resolve_inside

UPDATES = "var/lib/dpkg/updates"
LONGEST_NAME = 10
#: dpkg itself writes ``status`` anew after 250 changes.
MOST_UPDATES = 10_000

_NAME = re.compile(r"[0-9]+\Z")


def update_names(root: Path) -> list[str]:
    """
    Return the names of the journal's files, in the order in which they are applied.

    :raises InventoryError: if the folder cannot be read, or has more files than a journal has.
    """
    try:
        folder = resolve_inside(root, UPDATES)
        names = sorted(each.name for each in folder.iterdir() if _NAME.match(each.name)) if folder.exists() else []
    except OSError as error:
        raise InventoryError(f"{UPDATES}: {error.strerror}") from error
    if len(names) > MOST_UPDATES:
        raise InventoryError(f"{UPDATES}: {len(names)} files are too many for a journal")
    return names


def order_problem(names: Sequence[str]) -> str | None:
    """Return why the order of these names is not known, so that dpkg refuses them; ``None`` if it is known."""
    if any(len(name) > LONGEST_NAME for name in names):
        return f"{UPDATES} has a name of more than {LONGEST_NAME} digits"
    if len({len(name) for name in names}) > 1:
        return f"{UPDATES} has names of different lengths, so their order is not known"
    return None


@frozen
class JournalEntry:
    """
    The entry of a package in a stanza.

    :ivar name: the name of the package.
    :ivar arch: its architecture, empty if none is named.
    :ivar co_installable: whether other architectures may be installed beside it.
    :ivar is_known: whether dpkg knows the package: it is installed, or has configuration files.
    :ivar package: the package, if it is installed or damaged; else ``None``.
    """

    name: str
    arch: str
    co_installable: bool
    is_known: bool
    package: Package | None


@define(eq=False)
class Entries:
    """The entries of a dpkg database, by the name of the package, in the order of the database."""

    _entries: dict[str, list[JournalEntry]] = field(factory=dict)

    def add(self, entry: JournalEntry) -> None:
        """Add an entry of ``status``. One that is co-installable replaces the one of the same architecture."""
        others = self._entries.setdefault(entry.name, [])
        if not entry.is_known:
            others[:] = [other for other in others if other.arch != entry.arch]
        elif entry.co_installable and all(other.co_installable for other in others):
            others[:] = [*(other for other in others if other.arch != entry.arch), entry]
        else:
            others.append(entry)

    def replace(self, entry: JournalEntry) -> None:
        """Apply an entry of the journal. Of a package that is there once, it replaces any architecture."""
        others = self._entries.setdefault(entry.name, [])
        together = entry.co_installable and all(other.co_installable for other in others)
        kept = [other for other in others if other.arch != entry.arch] if together or len(others) > 1 else []
        others[:] = [*kept, entry] if entry.is_known else kept

    def packages(self) -> Iterator[Package]:
        """Yield the installed and the damaged packages. Packages that exclude each other have a problem."""
        for entries in self._entries.values():
            is_single = len(entries) == 1 or all(entry.co_installable for entry in entries)
            for package in (entry.package for entry in entries):
                if package is not None and (is_single or package.problem):
                    yield package
                elif package is not None:
                    yield evolve(package, problem="dpkg's database has it several times, which exclude each other")
