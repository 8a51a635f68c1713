"""
Reader of the apk database: ``lib/apk/db/installed``, or the same path under ``usr`` on a merged-usr system.

Source: apk-tools, ``src/database.c`` (``apk_db_read_fdb`` and ``apk_db_write_fdb``). A package is a series of lines up
to an empty line, each a letter, a colon and a value; ``o`` names the aport (origin) from which it was built.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from zope.interface import implementer

from patches.interfaces import IInventory
from patches.scanner.inventory import InventoryError, Package
from patches.scanner.inventory.rootfs import open_inside, resolve_inside

PATHS = ("lib/apk/db/installed", "usr/lib/apk/db/installed")
LONGEST_LINE = 1024 * 1024

_LINE = re.compile(rb"([A-Za-z]):(.*)\n\Z", re.DOTALL)
_READ = frozenset((b"P", b"V", b"A", b"o"))
_WORD = re.compile(r"[^\s\x00-\x1f]+\Z")


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

        :raises InventoryError: if the database is damaged or cannot be read.
        """
        path = next(path for path in PATHS if resolve_inside(root, path).exists())
        try:
            with open_inside(root, path) as lines:
                yield from _packages(path, lines)
        except OSError as error:
            raise InventoryError(f"{path}: {error.strerror}") from error


def _packages(path: str, lines: BinaryIO) -> Iterator[Package]:
    fields: dict[bytes, str] = {}
    number = 0
    while line := lines.readline(LONGEST_LINE):
        number += 1
        if line == b"\n":
            if fields:
                yield _package(path, number, fields)
            fields = {}
            continue
        match = _LINE.match(line)
        if not match or (match[1] in _READ and match[1] in fields):
            raise InventoryError(f"{path}, line {number}: not a line of an apk database")
        fields[match[1]] = match[2].decode("utf-8", "backslashreplace") if match[1] in _READ else ""
    if fields:
        yield _package(path, number, fields)


def _package(path: str, number: int, fields: dict[bytes, str]) -> Package:
    name, version = fields.get(b"P", ""), fields.get(b"V", "")
    if not _WORD.match(name) or not _WORD.match(version):
        raise InventoryError(
            f"{path}, before line {number}: not a valid package: name {name[:80]!r}, version {version[:80]!r}"
        )
    return Package(name, version, fields.get(b"A") or "noarch", fields.get(b"o") or name, version)
