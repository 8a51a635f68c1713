"""The packages that ``dpkg-query`` and ``rpm -qa`` read of a database, and random damage of databases."""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from unittest import SkipTest

from attrs import define, frozen

#: The states of packages that dpkg-query lists, but that are not installed.
NOT_INSTALLED = ("config-files", "not-installed")
_DPKG = "${Package}\t${Version}\t${Architecture}\t${db:Status-Status}"
_SOURCE = "\t${source:Package}\t${source:Version}"
#: The end of a package: a source may have several lines.
_END = "\x1e\n"
_RPM = "%{DBINSTANCE}\t%{NAME}\t%{EPOCHNUM}:%{VERSION}-%{RELEASE}\t%{ARCH}\n"

#: Name, version and architecture.
Build = tuple[str, str, str]


@frozen
class Native:
    """
    The packages that a native tool read.

    :ivar is_refused: whether it refused the database, or a part of it.
    :ivar builds: the installed packages, each with a number of its own: that of its line, or of its header.
    :ivar sources: the names and versions of the sources, by the same numbers, if they are known.
    """

    is_refused: bool
    builds: dict[int, Build]
    sources: dict[int, tuple[str, str]]


def require(program: str) -> None:
    """
    Raise :class:`SkipTest` if a program is not installed.

    :raises SkipTest: if so.
    """
    if shutil.which(program) is None:
        raise SkipTest(f"{program} is not installed")


def _run(*command: str) -> tuple[int, str, str]:
    # a test must not take the languages and the macros of whoever runs it
    environment = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"}
    ran = subprocess.run(command, capture_output=True, env=environment, check=False)
    return ran.returncode, ran.stdout.decode("utf-8", "backslashreplace"), ran.stderr.decode("utf-8", "replace")


def dpkg_query(admindir: Path) -> Native:
    """Return what dpkg-query reads of a folder with a status file and a journal."""
    command = ("dpkg-query", "--admindir", str(admindir), "-W", "-f")
    failed, out, _ = _run(*command, f"{_DPKG}{_SOURCE}{_END}")
    if failed:
        failed, out, _ = _run(*command, f"{_DPKG}{_END}")
    builds, sources = {}, {}
    for number, line in enumerate(out.split(_END)[:-1]):
        name, version, arch, state, *source = line.split("\t")
        if state not in NOT_INSTALLED:
            builds[number] = (name, version, arch or "all")
            if source:
                sources[number] = (source[0], source[1])
    return Native(bool(failed) and "no packages found" not in out, {} if failed else builds, sources)


def rpm_query(folder: Path) -> Native:
    """
    Return what ``rpm -qa`` reads of a folder with a database, in which it may write. A header that it skips is refused.
    """
    failed, out, errors = _run("rpm", "-qa", "--dbpath", str(folder), "--qf", _RPM)
    rows = [line.split("\t") for line in out.splitlines()]
    builds = {int(row[0]): (row[1], row[2], row[3]) for row in rows if len(row) == 4 and row[1] != "gpg-pubkey"}
    return Native(bool(failed) or "error:" in errors, builds, {})


def add_indexes(path: Path) -> None:
    """Add the empty tables of an rpm database on sqlite that are missing: without them rpm does not open it."""
    template = path.parent / "template"
    _run("rpm", "--initdb", "--dbpath", str(template.absolute()))
    with closing(sqlite3.connect(template / path.name)) as database:
        statements = [
            sql for (sql,) in database.execute("SELECT sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")
        ]
    shutil.rmtree(template)
    path.chmod(0o600)
    with closing(sqlite3.connect(path)) as database, database:
        for sql in statements:
            for kind in ("TABLE", "INDEX"):
                sql = sql.replace(f"CREATE {kind} ", f"CREATE {kind} IF NOT EXISTS ")
            database.execute(sql)


@define
class Damage:
    """Random damage, the same for the same seed."""

    chance: random.Random

    def bit(self, content: bytes) -> bytes:
        """Return the content with one bit flipped."""
        damaged = bytearray(content)
        damaged[self.chance.randrange(len(content))] ^= 1 << self.chance.randrange(8)
        return bytes(damaged)

    def cut(self, content: bytes) -> bytes:
        """Return the beginning of the content."""
        return content[: self.chance.randrange(1, len(content))]

    def lines(self, content: bytes) -> bytes:
        """Return lines of which one is dropped, doubled, moved, split, joined, or of other text."""
        lines = content.splitlines(keepends=True)
        place = self.chance.randrange(len(lines))
        line = lines[place]
        kind = self.chance.randrange(8)
        if kind == 0:
            lines[place] = b""
        elif kind == 1:
            lines[place] = line * 2
        elif kind == 2:
            lines.insert(self.chance.randrange(len(lines)), lines.pop(place))
        elif kind == 3:
            middle = self.chance.randrange(len(line) + 1)
            lines[place] = line[:middle] + b"\n" + line[middle:]
        elif kind == 4:
            lines[place] = line.rstrip(b"\n")
        elif kind == 5:
            lines[place] = self.chance.choice(ODD_LINES)
        elif kind == 6:
            lines.insert(place, self.chance.choice(ODD_LINES))
        else:
            middle = self.chance.randrange(len(line) + 1)
            lines[place] = line[:middle] + self.chance.choice(ODD_TEXTS) + line[middle:]
        return b"".join(lines)


ODD_LINES = (
    *(b"noise\n", b"\n", b" \n", b"\t\n", b"\r\n", b" more\n", b": x\n", b"-x: 1\n", b"#x: 1\n", b"3Essential: no\n"),
    *(b"X.Build.Id: 77\n", b"Version: 1\n", b"Version: 1_2\n", b"Version:\n", b"Version: 2 3\n", b"Package: zz\n"),
    *(b"Package: z_Z\n", b"Package: \xff\n", b"Source: https://example.org/ (1)\n", b"Source: A <b@c>\n"),
    *(b"Status: install ok half-installed\n", b"Status: install reinstreq half-installed\n", b"Status: x y z\n"),
    *(b"Status: deinstall ok config-files\n", b"Status: purge ok not-installed\n", b"Architecture: i386\n"),
    *(b"Multi-Arch: same\n", b"Revision: 3\n", b"Config-Version: 1\n", b"Source: a (b c)\n", b"Source: a (1)\n"),
)
ODD_TEXTS = (b"\0", b"\xff", b" ", b":", b"_", b"\n ", b"\n\n", b"~", b"(", b"\r", b"\x1a", b"\x0b")


def stanzas(status: bytes, most: int) -> list[bytes]:
    """Return the first stanzas of a status file, each with its empty line."""
    return [stanza.strip(b"\n") + b"\n\n" for stanza in status.split(b"\n\n")[:most] if stanza.strip()]


def headers(path: Path) -> list[tuple[int, bytes]]:
    """Return the headers of an rpm database on sqlite, with their numbers."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)) as database:
        return list(database.execute("SELECT hnum, blob FROM Packages"))


def write_headers(path: Path, rows: list[tuple[int, object]]) -> None:
    """Write these headers in place of those of an rpm database."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("DELETE FROM Packages")
        database.executemany("INSERT INTO Packages VALUES (?, ?)", rows)


def journals(chance: random.Random, whole: list[bytes], damage: Damage) -> Iterator[tuple[str, bytes]]:
    """Yield the names and contents of a random journal of packages that the status has, or has not."""
    width = chance.choice((1, 4, 4, 4, 4, 10, 11))
    for number in range(chance.randrange(1, 4)):
        stanza = chance.choice(whole)
        for old, new in chance.sample(CHANGES, chance.randrange(3)):
            stanza = stanza.replace(old, new, 1)
        kind = chance.randrange(8)
        content = damage.lines(stanza) if kind == 0 else damage.cut(stanza) if kind == 1 else stanza
        name = f"{number:0{width}}"
        yield chance.choice((name, name, name, name, name, name, f"{number}", f"{name}.x")), content


#: Changes of a stanza that an update may bring.
CHANGES = (
    (b"Version: ", b"Version: 9"),
    (b"Architecture: amd64", b"Architecture: i386"),
    (b"Architecture: all", b"Architecture: amd64"),
    (b"Package: ", b"Package: new-"),
    (b"install ok installed", b"purge ok not-installed"),
    (b"install ok installed", b"deinstall ok config-files"),
    (b"install ok installed", b"install ok unpacked"),
    (b"Multi-Arch: same\n", b""),
    (b"Multi-Arch: foreign\n", b"Multi-Arch: same\n"),
)
