"""
Reader of the dpkg database: ``var/lib/dpkg/status``, or ``var/lib/dpkg/status.d`` in images that dpkg did not build.

Source: deb822(5), dpkg-query(1) for the states, and Policy 5.6.1 for ``Source``. Each file is read once, line by line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from attrs import define, evolve, field
from zope.interface import implementer

from patches.interfaces import IInventory
from patches.scanner.inventory import InventoryError, Package
from patches.scanner.inventory.apt_lists import foreign_origins
from patches.scanner.inventory.rootfs import open_inside, resolve_inside

STATUS = "var/lib/dpkg/status"
STATUS_FOLDER = "var/lib/dpkg/status.d"
LONGEST_LINE = 1024 * 1024
MOST_FIELDS = 1000

#: The third word of ``Status`` → whether the package counts as installed. A half-installed one has files on the disk.
STATES = {
    b"installed": True,
    b"half-configured": True,
    b"half-installed": True,
    b"triggers-awaited": True,
    b"triggers-pending": True,
    b"unpacked": True,
    b"config-files": False,
    b"not-installed": False,
}

_FIELD = re.compile(rb"([A-Za-z][A-Za-z0-9_-]*):[ \t]*(.*?)[ \t]*\r?\n?\Z", re.DOTALL)
_READ = frozenset((b"package", b"status", b"architecture", b"source", b"version", b"origin"))
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._-]*\Z")
_SOURCE = re.compile(r"([A-Za-z0-9][A-Za-z0-9+._-]*)(?:\s+\(\s*([^()\s]+)\s*\))?\Z")


@implementer(IInventory)
class DpkgInventory:
    """The packages that dpkg has installed."""

    scheme = "dpkg"
    paths = (STATUS, STATUS_FOLDER)

    def present(self, root: Path) -> bool:
        """Return whether the host has a dpkg database."""
        return any(resolve_inside(root, path).exists() for path in (STATUS, STATUS_FOLDER))

    def read(self, root: Path) -> Iterator[Package]:
        """
        Yield every installed package, in one pass over each file.

        :raises InventoryError: if the database is damaged or cannot be read.
        """
        origins = foreign_origins(root)
        for path in _files(root):
            try:
                with open_inside(root, path) as lines:
                    for package in _StanzaReader(path, strict=path == STATUS).packages(lines):
                        origin = origins.get((package.name, package.version))
                        yield evolve(package, vendor=origin) if origin else package
            except OSError as error:
                raise InventoryError(f"{path}: {error.strerror}") from error


def _files(root: Path) -> Iterator[str]:
    try:
        if resolve_inside(root, STATUS).exists():
            yield STATUS
        folder = resolve_inside(root, STATUS_FOLDER)
        names = sorted(entry.name for entry in folder.iterdir()) if folder.exists() else []
    except OSError as error:
        raise InventoryError(f"{STATUS_FOLDER}: {error.strerror}") from error
    yield from (f"{STATUS_FOLDER}/{name}" for name in names if not name.endswith(".md5sums"))


@define(eq=False)
class _StanzaReader:
    """
    A reader of one file of stanzas.

    :ivar strict: whether dpkg writes this file; then each stanza must have a ``Status``, and the last line a line feed.
    """

    path: str
    strict: bool
    _number: int = 0
    _stanza: dict[bytes, bytes] = field(factory=dict)
    _described: bool = False

    def packages(self, lines: BinaryIO) -> Iterator[Package]:
        """Yield the installed packages."""
        line = b"\n"
        for line in self._lines(lines):
            if line.isspace():
                yield from self._end()
            elif line[0] not in b" \t":
                self._take(line)
            elif not self._stanza:
                raise self._damage("a continuation line without a field")
        self._check_end(line)
        yield from self._end()

    def _lines(self, lines: BinaryIO) -> Iterator[bytes]:
        while line := lines.readline(LONGEST_LINE + 1):
            self._number += 1
            if len(line) > LONGEST_LINE:
                raise self._damage("the line is too long")
            if b"\0" in line:
                raise self._damage("binary data")
            yield line

    def _take(self, line: bytes) -> None:
        match = _FIELD.match(line)
        if not match:
            raise self._damage("not a field")
        name = match[1].lower()
        if name in self._stanza:
            raise self._damage("the field is repeated")
        if len(self._stanza) == MOST_FIELDS:
            raise self._damage("the stanza has too many fields")
        self._stanza[name] = match[2] if name in _READ else b""

    def _check_end(self, last: bytes) -> None:
        """Raise if the file was truncated: within a line, or before the description that the other stanzas have."""
        field_name = last.partition(b":")[0].lower()
        if not last.endswith(b"\n") and (self.strict or field_name in _READ):
            raise self._damage("the file ends in the middle of a line")
        if self._stanza and self._described and self._is_there() and b"description" not in self._stanza:
            raise self._damage("the file ends in the middle of a stanza")

    def _end(self) -> Iterator[Package]:
        """End the current stanza, if there is one, and yield its package if it is installed."""
        if self._stanza:
            if self._is_there():
                yield self._package()
                self._described = b"description" in self._stanza
            self._stanza = {}

    def _is_there(self) -> bool:
        status = self._stanza.get(b"status")
        if status is None and not self.strict:
            return True
        words = (status or b"").split()
        if len(words) != 3 or words[2] not in STATES:
            raise self._damage(f"a stanza with the status {self._text(b'status')!r}")
        return STATES[words[2]]

    def _package(self) -> Package:
        name, version = self._text(b"package"), self._text(b"version")
        if not _NAME.match(name):
            raise self._damage(f"a stanza with the package name {name!r}")
        if not version or len(version.split()) != 1:
            raise self._damage(f"package {name} has the version {version!r}")
        source = _SOURCE.match(self._text(b"source") or name)
        if not source:
            raise self._damage(f"package {name} has the source {self._text(b'source')!r}")
        arch = self._text(b"architecture") or "all"
        vendor = self._text(b"origin") or None
        return Package(name, version, arch, source[1], source[2] or version, vendor=vendor)

    def _text(self, name: bytes) -> str:
        return self._stanza.get(name, b"").decode("utf-8", "backslashreplace")

    def _damage(self, what: str) -> InventoryError:
        return InventoryError(f"{self.path}, line {self._number}: {what[:200]}")
