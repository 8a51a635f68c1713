"""
Reader of the rpm database in its three formats: sqlite, ndb, and Berkeley DB; for any root, without running a program.

sqlite is read here. ndb and Berkeley DB are read by pyrpmdb (the extra ``patches[rpm]``). If pyrpmdb is not installed,
the packages of the running host are read from the output of ``rpm -qa``, which is run once.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from zope.interface import implementer

from patches.interfaces import IInventory
from patches.scanner.inventory import InventoryError, Package
from patches.scanner.inventory import rpm_header as header
from patches.scanner.inventory.rootfs import resolve_inside
from patches.scanner.inventory.rpm_query import query_packages

FOLDERS = ("usr/lib/sysimage/rpm", "var/lib/rpm")
#: The largest header, in bytes. rpm itself allows 256 MiB; the header of a package with 100,000 files has some 15 MiB.
LARGEST_HEADER = 64 * 1024 * 1024
SQLITE, NDB, BERKELEY = "rpmdb.sqlite", "Packages.db", "Packages"

_WORD = re.compile(r"[^\s\x00-\x1f]+\Z")
_SOURCE_RPM = re.compile(r"(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm\Z")
#: The name of the public keys that rpm stores among the packages.
_NOT_A_PACKAGE = "gpg-pubkey"


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

        :raises InventoryError: if the database is damaged or cannot be read, or no reader of its format is installed.
        """
        found = _find(root)
        if found is None:
            raise InventoryError(f"no rpm database found under {root}")
        path, shown = resolve_inside(root, found), found
        try:
            headers = _read_sqlite(path, shown) if path.name == SQLITE else _read_other(root, path, shown)
            for tags in headers:
                if tags.get(header.NAME) != _NOT_A_PACKAGE:
                    yield _package(shown, tags)
        except OSError as error:
            raise InventoryError(f"{shown}: {error.strerror}") from error


def _find(root: Path) -> str | None:
    places = [f"{folder}/{name}" for name in (SQLITE, NDB, BERKELEY) for folder in FOLDERS]
    return next((place for place in places if resolve_inside(root, place).is_file()), None)


def _read_sqlite(path: Path, shown: str) -> Iterator[Mapping[int, str]]:
    """
    Yield the headers one at a time.

    A database with a write-ahead log is copied first: to read it, sqlite would have to write beside it, and a scan
    must not change the host. Without a log, ``immutable`` keeps sqlite from creating files.
    """
    with tempfile.TemporaryDirectory(prefix="patches-") as folder:
        log = path.with_name(path.name + "-wal")
        if log.is_file() and log.stat().st_size:
            copied = Path(shutil.copyfile(path, Path(folder) / path.name))
            shutil.copyfile(log, Path(folder) / log.name)
            uri = copied.as_uri()
        else:
            uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        try:
            with closing(sqlite3.connect(uri, uri=True)) as database:
                # a longer blob is an error of sqlite before it is read into memory
                database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST_HEADER)
                for (blob,) in database.execute("SELECT blob FROM Packages ORDER BY hnum"):
                    yield header.read_header(bytes(blob))
        except (sqlite3.Error, header.MalformedHeader, TypeError) as error:
            raise InventoryError(f"{shown}: {error}") from error


def _read_other(root: Path, path: Path, shown: str) -> Iterator[Mapping[int, str]]:
    try:
        from pyrpmdb import get_rpm_db_info
    except ImportError:
        if root == Path("/"):
            return query_packages()
        raise InventoryError(f"{shown}: to read a database of this format, install patches[rpm]") from None
    found = get_rpm_db_info(str(path))
    if not isinstance(found, list):
        reason = found.get("error", found) if isinstance(found, dict) else found
        raise InventoryError(f"{shown}: {str(reason).splitlines()[0][:200]}")
    return map(_tags, found)


def _tags(info: Mapping[str, Any]) -> Mapping[int, str]:
    names = {
        header.NAME: "Name",
        header.EPOCH: "Epoch",
        header.VERSION: "Version",
        header.RELEASE: "Release",
        header.ARCH: "Arch",
        header.SOURCERPM: "SourceRpm",
        header.VENDOR: "Vendor",
        header.MODULARITYLABEL: "Modularitylabel",
    }
    return {tag: str(info[name]) for tag, name in names.items() if info.get(name) is not None}


def _package(shown: str, tags: Mapping[int, str]) -> Package:
    name, version, release = (tags.get(tag, "") for tag in (header.NAME, header.VERSION, header.RELEASE))
    if not all(_WORD.match(word) for word in (name, version, release)):
        raise InventoryError(
            f"{shown}: not a valid package: name {name[:80]!r}, version {version[:80]!r}, release {release[:80]!r}"
        )
    source = _SOURCE_RPM.match(tags.get(header.SOURCERPM, ""))
    return Package(
        name=name,
        version=f"{tags.get(header.EPOCH) or 0}:{version}-{release}",
        arch=tags.get(header.ARCH) or "noarch",
        source=source[1] if source else name,
        source_version=source[2] if source else f"{version}-{release}",
        module=tags.get(header.MODULARITYLABEL) or None,
        vendor=tags.get(header.VENDOR) or None,
    )
