"""Databases of 300 MB of nonsense: a clear error in bounded memory and time, never a crash or an empty host."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from patches.scanner.inventory import read_inventory
from patches.scanner.inventory.apk import PATHS
from patches.scanner.inventory.dpkg import STATUS

BYTES = 300 * 1024 * 1024
#: The memory that may be used in addition to an interpreter that has imported the readers, in KiB.
MOST_KIB = 200 * 1024

DPKG_STANZA = b"Package: p%d\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1-%d\n\n"
APK_STANZA = b"P:p%d\nV:1-r%d\nA:x86_64\n\n"
RPM = "var/lib/rpm/rpmdb.sqlite"
NDB = "var/lib/rpm/Packages.db"
BERKELEY = "var/lib/rpm/Packages"

CHILD = """
import resource, sys
from pathlib import Path
from patches.scanner.inventory import InventoryError, read_inventory
import patches.scanner.inventory.apk, patches.scanner.inventory.dpkg, patches.scanner.inventory.rpm
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    print("read", len(read_inventory(Path(sys.argv[1])).packages))
except InventoryError as error:
    print(error)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def repeated(stanza: bytes) -> Iterable[bytes]:
    """Yield a database of endless packages, many of them repeated."""
    part = b"".join(stanza % (n, n) for n in range(150_000))
    for _ in range(BYTES // len(part) + 1):
        yield part


def fields() -> Iterable[bytes]:
    """Yield a stanza with endless fields."""
    part = b"".join(b"F-%d: x\n" % n for n in range(100_000))
    for _ in range(BYTES // len(part) + 1):
        yield part


def noise(head: bytes = b"") -> Iterable[bytes]:
    """Yield the start of a database, followed by noise."""
    block = random.Random(7).randbytes(1024 * 1024)
    yield head + block[len(head) :]
    for _ in range(299):
        yield block


def one_line() -> Iterable[bytes]:
    """Yield a line without an end."""
    yield b"Description: "
    for _ in range(300):
        yield b"x" * 1024 * 1024


CASES = {
    "dpkg-noise": (STATUS, noise, ()),
    "dpkg-packages": (STATUS, repeated, (DPKG_STANZA,)),
    "dpkg-fields": (STATUS, fields, ()),
    "dpkg-line": (STATUS, one_line, ()),
    "apk-noise": (PATHS[0], noise, ()),
    "apk-packages": (PATHS[0], repeated, (APK_STANZA,)),
    "apk-line": (PATHS[0], one_line, ()),
    "rpm-sqlite-noise": (RPM, noise, (b"SQLite format 3\0",)),
    "rpm-ndb-noise": (NDB, noise, (b"RpmP",)),
    "rpm-berkeley-noise": (BERKELEY, noise, (b"\0" * 12 + b"\x61\x15\x06\x00",)),
}


@pytest.mark.parametrize("case", CASES)
def test_nonsense(case: str, tmp_path: Path) -> None:
    """Databases of 300 MB that are malformed or too long result in one clear line, and need little memory."""
    relative, parts, arguments = CASES[case]
    path = tmp_path / relative
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.writelines(parts(*arguments))  # type: ignore[operator]
    ran = subprocess.run(
        [sys.executable, "-c", CHILD, tmp_path], capture_output=True, text=True, timeout=60, check=True
    )
    path.unlink()
    *said, taken = ran.stdout.splitlines()
    assert len(said) == 1, said
    assert not said[0].startswith("read")
    assert len(said[0]) < 500, said[0]
    assert int(taken) < MOST_KIB, f"{int(taken) / 1024:.0f} MiB"


def test_stray_empty_line(tmp_path: Path) -> None:
    """An empty line in the middle of a stanza is damage, not one package fewer."""
    path = tmp_path / STATUS
    path.parent.mkdir(parents=True)
    path.write_bytes((DPKG_STANZA % (1, 1)).replace(b"\nArch", b"\n\nArch") + DPKG_STANZA % (2, 2))
    first, rest, whole = read_inventory(tmp_path).packages
    assert (first.name, rest.name, whole.name) == ("p1", f"({STATUS}, line 4)", "p2")
    assert first.problem
    assert rest.problem
    assert not whole.problem
