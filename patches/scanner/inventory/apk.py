"""
Reader of the apk database: ``lib/apk/db/installed``, or the same path under ``usr`` on a merged-usr system.

Source: apk-tools, ``src/database.c`` (``apk_db_read_fdb`` and ``apk_db_write_fdb``). A package is a series of lines up
to an empty line, each a letter, a colon and a value; ``o`` names the aport (origin) from which it was built. A damaged
series costs its own package; a truncated file is refused whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from attrs import define, field
from zope.interface import implementer

from patches.interfaces import IInventory
from patches.scanner.inventory import InventoryError, Package, damaged_package
from patches.scanner.inventory.rootfs import open_inside, resolve_inside

PATHS = ("lib/apk/db/installed", "usr/lib/apk/db/installed")
LONGEST_LINE = 1024 * 1024
#: A run of so many zero bytes is no damage of one package: others may be lost in it, as after a failure of a disk.
HOLE = bytes(64)

_LINE = re.compile(rb"([A-Za-z]):(.*)\n\Z", re.DOTALL)
_READ = frozenset((b"P", b"V", b"A", b"o"))
_WORD = re.compile(r"[^\s\x00-\x1f]+")


@implementer(IInventory)
class ApkInventory:
    """The packages that apk has installed."""

    scheme = "apk"
    paths = PATHS

    def present(self, root: Path) -> bool:
        """Return whether the host has an apk database."""
        return any(resolve_inside(root, path).exists() for path in PATHS)

    def read(self, root: Path) -> Iterator[Package]:
        """
        Yield every installed package, in one pass over the file.

        :raises InventoryError: if the database is truncated, cannot be read, or is not one.
        """
        path = next(path for path in PATHS if resolve_inside(root, path).exists())
        try:
            with open_inside(root, path) as lines:
                yield from _Reader(path).packages(lines)
        except OSError as error:
            raise InventoryError(f"{path}: {error.strerror}") from error


@define(eq=False)
class _Reader:
    """A reader of one database."""

    path: str
    _number: int = 0
    _first: int = 0
    _fields: dict[bytes, str] = field(factory=dict)
    _problem: str | None = None

    def packages(self, lines: BinaryIO) -> Iterator[Package]:
        """Yield the packages."""
        while line := lines.readline(LONGEST_LINE):
            self._number += 1
            if not line.endswith(b"\n"):
                raise self._damage("the line is too long, or the file ends in the middle of it")
            if HOLE in line or (self._number == 1 and b"\0" in line):
                raise self._damage("binary data")
            if line == b"\n":
                yield from self._end()
            else:
                yield from self._take(line)
        if self._first and self._problem is None and not {b"P", b"V"} <= self._fields.keys():
            raise self._damage("the file ends in the middle of a package")
        yield from self._end()

    def _damage(self, what: str) -> InventoryError:
        return InventoryError(f"{self.path}, line {self._number}: {what}")

    def _broken(self, what: str) -> None:
        self._problem = self._problem or f"{self.path}, line {self._number}: {what}"

    def _take(self, line: bytes) -> Iterator[Package]:
        match = _LINE.match(line)
        if match and match[1] == b"P" and b"P" in self._fields:
            self._broken("the next package begins within the package")
            yield from self._end()
        self._first = self._first or self._number
        if not match:
            self._broken("not a line of an apk database")
        elif match[1] in _READ and match[1] in self._fields:
            self._broken(f"the field is repeated: {match[1].decode()}")
        else:
            self._fields[match[1]] = match[2].decode("utf-8", "backslashreplace") if match[1] in _READ else ""

    def _end(self) -> Iterator[Package]:
        """End the current package, if there is one, and yield it."""
        if self._first:
            yield self._package()
        self._first, self._fields, self._problem = 0, {}, None

    def _package(self) -> Package:
        match = _WORD.match(self._fields.get(b"P", ""))
        name, version = match[0] if match else "", self._fields.get(b"V", "")
        package = Package(name, version, self._fields.get(b"A") or "noarch", self._fields.get(b"o") or name, version)
        problem = self._problem or self._invalid()
        return damaged_package(f"{self.path}, line {self._first}", problem, package) if problem else package

    def _invalid(self) -> str | None:
        """
        Return why the package cannot be evaluated.

        apk installs packages whose versions have no order, such as libretls 3.3.3p1-r3: they are no damage.
        """
        place, name, version = f"{self.path}, line {self._first}", self._fields.get(b"P"), self._fields.get(b"V")
        if not name or not _WORD.fullmatch(name):
            return f"{place}: the package name {name[:80]!r} is not valid" if name else f"{place}: it has no name"
        if not _WORD.fullmatch(version or ""):
            return f"{place}: the version {version[:80]!r} is not valid" if version else f"{place}: it has no version"
        return None
