"""
The repositories from which rpms were installed, as yum or dnf recorded them. rpm itself does not know them.

Three forms are read, each by its published source; a record that cannot be read is no record:

* dnf 5: ``usr/lib/sysimage/libdnf5/nevras.toml``, ``libdnf5/system/state.cpp``;
* dnf 4: ``var/lib/dnf/history.sqlite``, libdnf's ``libdnf/transaction/sql/create_tables.sql``, read by the query with
  which dnf 5 takes it over (``libdnf5/system/dnf4convert.cpp``);
* yum, of Amazon Linux 2 and CentOS 7: ``var/lib/yum/yumdb/LETTER/PKGID-NAME-VERSION-RELEASE-ARCH/from_repo``, yum's
  ``rpmsack.py`` (``RPMDBAdditionalData``).
"""

from __future__ import annotations

import re
import sqlite3
import tomllib
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import islice
from pathlib import Path

from attrs import define

from patches.scanner.inventory import MOST_PACKAGES, Package
from patches.scanner.inventory.bounded_sqlite import ReadLimits, read_rows
from patches.scanner.inventory.rootfs import open_inside, resolve_inside

NEVRAS = "usr/lib/sysimage/libdnf5/nevras.toml"
HISTORY = "var/lib/dnf/history.sqlite"
YUMDB = "var/lib/yum/yumdb"

_MOST_TOML_BYTES = 4 * 1024 * 1024
_LIMITS = ReadLimits(seconds=10, rows=1_000_000, value_bytes=64 * 1024)
_TABLES = ("trans", "trans_item", "rpm", "repo")
#: Actions (``libdnf/transaction/Types.hpp``): 10 is of the build that a reinstallation replaces, 11 of a new reason.
_QUERY = """
SELECT ti.id, ti.action, rpm.name, rpm.epoch, rpm.version, rpm.release, rpm.arch, repo.repoid
FROM trans_item ti JOIN rpm USING (item_id) JOIN repo ON repo.id = ti.repo_id JOIN trans ON trans.id = ti.trans_id
WHERE ti.state = 1 AND trans.state = 1 AND ti.action NOT IN (10, 11)
"""
#: The build was downgraded, obsoleted, upgraded or removed.
_GONE = frozenset((3, 5, 7, 8))
_REPOSITORY = re.compile(r"[!-~]{1,200}\Z")
#: What dnf records where no repository is concerned.
_SYSTEM = "@System"


@define(eq=False, slots=False)
class Repositories:
    """The records of one host. Each is read when a package is first asked for."""

    root: Path

    def of(self, package: Package) -> str | None:
        """Return the repository from which a package was installed; ``None`` if it is not known."""
        epoch, _, build = package.version.partition(":")
        full = f"{package.name}-{epoch}:{build}.{package.arch}"
        bare = f"{package.name}-{build}.{package.arch}"
        nevras = (full, bare) if epoch == "0" else (full,)
        for records in (self._nevras, self._history):
            for nevra in nevras:
                if nevra in records:
                    return _valid(records[nevra])
        return self._from_yumdb(f"{package.name.replace('~', '')}-{build}-{package.arch}")

    @cached_property
    def _nevras(self) -> Mapping[str, object]:
        try:
            with open_inside(self.root, NEVRAS) as file:
                content = file.read(_MOST_TOML_BYTES).decode("utf-8")
            nevras = tomllib.loads(content)["nevras"]
            return {nevra: state["from_repo"] for nevra, state in nevras.items() if "from_repo" in state}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return {}

    @cached_property
    def _history(self) -> Mapping[str, object]:
        last: dict[str, tuple[int, int, object]] = {}
        try:
            path = resolve_inside(self.root, HISTORY)
            for number, action, name, epoch, version, release, arch, repository in (
                read_rows(path, _TABLES, _QUERY, _LIMITS) if path.is_file() else ()
            ):
                nevra = f"{name}-{epoch}:{version}-{release}.{arch}"
                if number > last.get(nevra, (-1,))[0]:
                    last[nevra] = (number, action, repository)
        except (OSError, sqlite3.Error, TypeError):
            return {}
        return {nevra: repository for nevra, (_, action, repository) in last.items() if action not in _GONE}

    def _from_yumdb(self, build: str) -> str | None:
        found = {_valid(self._recorded(folder)) for folder in self._yumdb.get(build, ())}
        return found.pop() if len(found) == 1 else None

    @cached_property
    def _yumdb(self) -> Mapping[str, list[str]]:
        """Return the folders of each build, without its epoch, which yum does not record."""
        folders: dict[str, list[str]] = {}
        for folder in islice(_folders(self.root), MOST_PACKAGES):
            build = folder.rpartition("/")[2].partition("-")[2]
            folders.setdefault(build, []).append(folder)
        return folders

    def _recorded(self, folder: str) -> str:
        try:
            with open_inside(self.root, f"{folder}/from_repo") as file:
                return file.read(1024).decode("utf-8").strip()
        except (OSError, ValueError):
            return ""


def _folders(root: Path) -> Iterator[str]:
    for letter in _names(root, YUMDB):
        yield from (f"{YUMDB}/{letter}/{name}" for name in _names(root, f"{YUMDB}/{letter}"))


def _names(root: Path, folder: str) -> list[str]:
    try:
        return [each.name for each in islice(resolve_inside(root, folder).iterdir(), MOST_PACKAGES)]
    except OSError:
        return []


def _valid(repository: object) -> str | None:
    is_name = isinstance(repository, str) and _REPOSITORY.match(repository) and repository != _SYSTEM
    return str(repository) if is_name else None
