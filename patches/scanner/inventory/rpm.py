"""
Reader of the rpm database in its three formats: sqlite, ndb, and Berkeley DB; for any root, without running a program.

As with ``rpm -qa``, a damaged header costs its own package. Unlike rpm, which only prints a warning, it is named.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

from attrs import evolve, frozen
from zope.interface import implementer

from patches.interfaces import IInventory
from patches.scanner.inventory import MOST_PACKAGES, InventoryError, Package, damaged_package
from patches.scanner.inventory import rpm_header as header
from patches.scanner.inventory.bounded_sqlite import ReadLimits, read_rows
from patches.scanner.inventory.rootfs import open_inside, resolve_inside
from patches.scanner.inventory.rpm_berkeley import read_berkeley
from patches.scanner.inventory.rpm_ndb import read_ndb
from patches.scanner.inventory.rpm_repositories import Repositories

#: The last one is of images that are updated as a whole: rpm-ostree (Fedora CoreOS, RHCOS) and bootc.
FOLDERS = ("usr/lib/sysimage/rpm", "var/lib/rpm", "usr/share/rpm")
#: The largest header, in bytes. rpm itself allows 256 MiB; the header of a package with 100,000 files has some 15 MiB.
LARGEST_HEADER = 64 * 1024 * 1024
LIMITS = ReadLimits(seconds=60, rows=MOST_PACKAGES, value_bytes=LARGEST_HEADER)
SQLITE, NDB, BERKELEY = "rpmdb.sqlite", "Packages.db", "Packages"

_WORD = re.compile(r"[^\s\x00-\x1f]+")
_SOURCE_RPM = re.compile(r"(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm\Z")
#: The name of the public keys that rpm stores among the packages.
_NOT_A_PACKAGE = "gpg-pubkey"


@frozen
class _Record:
    """
    A header of the database.

    :ivar place: where it is, for messages.
    :ivar tags: its tags, as far as they can be read.
    :ivar problem: why it is damaged; ``None`` if it is not.
    """

    place: str
    tags: Mapping[int, str]
    problem: str | None = None


@implementer(IInventory)
class RpmInventory:
    """The packages that rpm has installed."""

    scheme = "rpm"
    paths = tuple(f"{folder}/{name}" for name in (SQLITE, f"{SQLITE}-wal", NDB, BERKELEY) for folder in FOLDERS)

    def present(self, root: Path) -> bool:
        """Return whether the host has an rpm database."""
        return _find(root) is not None

    def read(self, root: Path) -> Iterator[Package]:
        """
        Yield every installed package.

        :raises InventoryError: if the database is truncated, cannot be read, or is not one.
        """
        found = _find(root)
        if found is None:
            raise InventoryError(f"no rpm database found under {root}")
        repositories = Repositories(root)
        try:
            for number, blob in _blobs(root, found):
                record = _record(f"{found}, header {str(number)[:20]}", blob)
                if record.tags.get(header.NAME) != _NOT_A_PACKAGE:
                    package = _package(record)
                    yield evolve(package, repository=repositories.of(package))
        except OSError as error:
            raise InventoryError(f"{found}: {error.strerror}") from error
        except sqlite3.Error as error:
            raise InventoryError(f"{found}: {error}") from error


def _find(root: Path) -> str | None:
    places = [f"{folder}/{name}" for name in (SQLITE, NDB, BERKELEY) for folder in FOLDERS]
    return next((place for place in places if resolve_inside(root, place).is_file()), None)


def _blobs(root: Path, found: str) -> Iterator[tuple[object, object]]:
    """Yield the number and the blob of each header, one at a time; the blob of a damaged one may be anything."""
    if found.endswith(f"/{SQLITE}"):
        path = resolve_inside(root, found)
        yield from read_rows(path, ("Packages",), "SELECT hnum, blob FROM Packages", LIMITS)
        return
    read = read_ndb if found.endswith(f"/{NDB}") else read_berkeley
    with open_inside(root, found) as file:
        yield from islice(read(file, found, LARGEST_HEADER), MOST_PACKAGES + 1)


def _record(place: str, blob: object) -> _Record:
    if not isinstance(blob, bytes):
        return _Record(place, {}, "the header is damaged: no binary data")
    try:
        return _Record(place, header.read_header(blob))
    except header.MalformedHeader as error:
        return _Record(place, error.tags, str(error))


def _package(record: _Record) -> Package:
    """Return the package of a header, with as much of its name as can be read."""
    tags = record.tags
    match = _WORD.match(tags.get(header.NAME, ""))
    name = match[0] if match else ""
    version, release = tags.get(header.VERSION, ""), tags.get(header.RELEASE, "")
    source = _SOURCE_RPM.match(tags.get(header.SOURCERPM, ""))
    package = Package(
        name=name,
        version=f"{tags.get(header.EPOCH) or 0}:{version}-{release}" if version else "",
        arch=tags.get(header.ARCH) or "noarch",
        source=source[1] if source else name,
        source_version=source[2] if source else f"{version}-{release}",
        module=tags.get(header.MODULARITYLABEL) or None,
        vendor=tags.get(header.VENDOR) or None,
    )
    problem = record.problem or _problem(tags)
    return damaged_package(record.place, f"{record.place}: {problem}", package) if problem else package


def _problem(tags: Mapping[int, str]) -> str | None:
    for tag, noun in ((header.NAME, "name"), (header.VERSION, "version"), (header.RELEASE, "release")):
        if not _WORD.fullmatch(tags.get(tag, "")):
            return f"the {noun} {tags[tag][:80]!r} is not valid" if tags.get(tag) else f"it has no {noun}"
    epoch = tags.get(header.EPOCH) or "0"
    return None if epoch.isdecimal() else f"the epoch {epoch[:80]!r} is not a number"
