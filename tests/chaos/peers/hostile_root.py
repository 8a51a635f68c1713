"""
A host that is not to be trusted: the root folder of an image that somebody made to harm its scanner.

Each case spoils a whole host in one way: links that lead out, devices, pipes, files without end, damaged or huge
databases of packages. The promise: a scan ends in its time and memory, says what it could not read, shows nothing from
outside of the root, and never calls such a host clean.
"""

from __future__ import annotations

import gzip
import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.chaos.attack import Outcome, program
from tests.chaos.measured import Measured, run_measured
from tests.integration.daemons import PATCHES, Daemon
from tests.integration.sample_host import write_host
from tests.integration.sample_lists import write_list

#: The most memory of a scan of such a host, in MiB, and the longest time, in seconds.
MOST_MIB, LONGEST = 256, 60
#: A package of the host outside, which must never be seen.
CANARY = "outside-canary"
PLATFORMS = ("debian-12", "fedora-40", "alpine-3.20")
MIB = 1 << 20
STATUS, RPM, APK = "var/lib/dpkg/status", "usr/lib/sysimage/rpm/rpmdb.sqlite", "lib/apk/db/installed"
STANZA = "Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}\n\n"


def _replace(root: Path, path: str) -> Path:
    """Return a path below the root, at which there is nothing, in a folder."""
    found = root / path
    found.parent.mkdir(parents=True, exist_ok=True)
    found.unlink(missing_ok=True)
    return found


def _sparse(root: Path, path: str, size: int) -> None:
    with _replace(root, path).open("wb") as file:
        file.truncate(size)


def _link(root: Path, path: str, target: str) -> None:
    _replace(root, path).symlink_to(target)


def _loop(root: Path, path: str) -> None:
    _link(root, path, Path(path).name)


def _pipe(root: Path, path: str) -> None:
    os.mkfifo(_replace(root, path))


def _text(root: Path, path: str, text: str | bytes) -> None:
    _replace(root, path).write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape"))


def _stanzas(count: int, extra: str = "") -> str:
    return "".join(STANZA.format(name=f"package-{n}", version="1:0-0" + extra) for n in range(count))


def _rpm(root: Path, rows: int, blob: bytes) -> None:
    (root / STATUS).unlink()
    _text(root, "etc/os-release", 'ID="fedora"\nVERSION_ID="40"\n')
    with sqlite3.connect(_replace(root, RPM)) as database:
        database.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB NOT NULL)")
        database.executemany("INSERT INTO Packages (blob) VALUES (?)", ((blob,) for _ in range(rows)))
    database.close()


def _apk(root: Path, text: str) -> None:
    (root / STATUS).unlink()
    _text(root, "etc/os-release", "ID=alpine\nVERSION_ID=3.20\n")
    _text(root, APK, text)


def _many_links(root: Path) -> None:
    for n in range(2000):
        _link(root, f"var/lib/dpkg/l{n}", f"l{n + 1}")
    _link(root, STATUS, "l0")


def _cyclic_folders(root: Path) -> None:
    _link(root, "etc/apt/sources.list.d/again", "..")
    _link(root, "var/lib/apt/lists", "/var/lib/apt")


#: The ways to spoil a host, with a generator; each gets its root folder.
CASES: dict[str, Callable[[Path, Random], object]] = {
    "status leads out": lambda r, g: _link(r, STATUS, str(r.parent / "outside" / STATUS)),
    "status leads up and out": lambda r, g: _link(r, STATUS, "../../../../outside/" + STATUS),
    "folder leads out": lambda r, g: (
        (_text(r, STATUS, ""), (r / STATUS).unlink(), (r / "var/lib/dpkg").rmdir())
        and _link(r, "var/lib/dpkg", str(r.parent / "outside/var/lib/dpkg"))
    ),
    "status is a loop": lambda r, g: _loop(r, STATUS),
    "status is 2,000 links": lambda r, g: _many_links(r),
    "status is a pipe": lambda r, g: _pipe(r, STATUS),
    "status is a folder": lambda r, g: _replace(r, STATUS).mkdir(),
    "status is /dev/zero": lambda r, g: _link(r, STATUS, "/dev/zero"),
    "status is 50 GB of zeros": lambda r, g: _sparse(r, STATUS, 50 * 1024 * MIB),
    "status is one line": lambda r, g: _text(r, STATUS, "Package: " + "x" * (64 * MIB)),
    "status is noise": lambda r, g: _text(r, STATUS, g.randbytes(MIB)),
    "status is cut": lambda r, g: _text(r, STATUS, _stanzas(300)[:-37]),
    "status has 400,000 packages": lambda r, g: _text(r, STATUS, _stanzas(400_000)),
    "status has a field of 32 MiB": lambda r, g: _text(r, STATUS, _stanzas(3, "x" * (32 * MIB))),
    "versions of 100,000 digits": lambda r, g: _text(r, STATUS, _stanzas(300, "9" * 100_000)),
    "escapes in names": lambda r, g: _text(r, STATUS, _stanzas(3).replace("package-1", "a\x1b]0;x\x07[red]\u202e")),
    "os-release is a pipe": lambda r, g: _pipe(r, "etc/os-release"),
    "os-release is a loop": lambda r, g: _loop(r, "etc/os-release"),
    "os-release is 1 GB": lambda r, g: _sparse(r, "etc/os-release", 1024 * MIB),
    "os-release is noise": lambda r, g: _text(r, "etc/os-release", g.randbytes(4096)),
    "os-release with commands": lambda r, g: _text(r, "etc/os-release", "ID=$(touch /tmp/ran)\nVERSION_ID=`id`\n"),
    "os-release of 10,000 lines": lambda r, g: _text(r, "etc/os-release", "ID='debian\n" * 10_000),
    "apt folders that lead back": lambda r, g: _cyclic_folders(r),
    "apt list is a bomb": lambda r, g: _text(
        r, "var/lib/apt/lists/x_dists_bookworm_main_binary-amd64_Packages.gz", gzip.compress(bytes(512 * MIB), 1)
    ),
    "rpm database is noise": lambda r, g: (_rpm(r, 1, b""), _text(r, RPM, b"SQLite format 3\0" + g.randbytes(MIB))),
    "rpm headers are noise": lambda r, g: _rpm(r, 500, g.randbytes(2000)),
    "rpm headers of 8 MiB": lambda r, g: _rpm(r, 8, bytes(8 * MIB)),
    "rpm headers without end": lambda r, g: _rpm(r, 500, bytes.fromhex("ffffffffffffffff") + bytes(100)),
    "rpm database is a pipe": lambda r, g: (_rpm(r, 1, b""), _pipe(r, RPM)),
    "rpm log leads out": lambda r, g: (_rpm(r, 1, b""), _link(r, RPM + "-wal", str(r.parent / "outside/wal"))),
    "apk database is one line": lambda r, g: _apk(r, "P:" + "x" * (64 * MIB)),
    "apk database is noise": lambda r, g: _apk(r, g.randbytes(MIB).decode("latin-1")),
    "apk database is empty": lambda r, g: _apk(r, ""),
}


def _problems(name: str, ran: Measured, root: Path) -> list[str]:
    problems = []
    if ran.code not in (0, 1, 3, 4, 5):
        problems.append(f"exit code {ran.code}")
    if ran.code == 0 and "apt" not in name:
        problems.append("clean")
    if "Traceback" in ran.output:
        problems.append("a traceback")
    if CANARY in ran.output or "root:x:" in ran.output:
        problems.append("something from outside")
    if "\x1b" in ran.output:
        problems.append("raw escapes")
    if ran.peak_mib > MOST_MIB:
        problems.append(f"{ran.peak_mib:.0f} MiB")
    if ran.seconds > LONGEST:
        problems.append(f"{ran.seconds:.0f} s")
    outside = (root.parent / "outside" / STATUS).read_text()
    return problems if outside == _outside() else [*problems, "the host outside was changed"]


def _outside() -> str:
    return STANZA.format(name=CANARY, version="1:0-0")


def attack(rng: Random, folder: Path, cases: int) -> Outcome:
    """Scan hosts that are spoiled, each in one way; so many of them, chosen at random; 0: all."""
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    lists = [write_list(folder / "one", 1000, platform).read_bytes() for platform in PLATFORMS]
    (folder / "list.ndjson").write_bytes(b"".join(lists))
    server = Daemon("patches-server", folder / "server", "--list", str(folder / "list.ndjson")).start()
    ran: dict[str, Measured] = {}
    wrong: list[str] = []
    try:
        server.wait_until_ready()
        for name in rng.sample(sorted(CASES), cases) if cases else CASES:
            place = folder / f"case-{len(ran)}"
            root = write_host(place / "root", "debian", "12", {f"package-{n}": "1:0-0" for n in range(20)})
            (place / "outside" / STATUS).parent.mkdir(parents=True)
            (place / "outside" / STATUS).write_text(_outside())
            CASES[name](root, rng)
            command = [PATCHES, "scan", "--root", root, "--patches-server", f"http://127.0.0.1:{server.port}"]
            ran[name] = run_measured([*command, "--format", "json", "--include-unfixed"], place / "work", LONGEST + 10)
            wrong += [f"{name}: {problem}" for problem in _problems(name, ran[name], root)]
    finally:
        server.stop()
    peak = max(each.peak_mib for each in ran.values())
    slowest = max(ran, key=lambda name: ran[name].seconds)
    return Outcome(
        "scanner: a hostile host harms nobody, and is never clean",
        "root folders with links that lead out, pipes, devices, bombs, damaged databases",
        f"{peak:.0f} MiB, {ran[slowest].seconds:.1f} s ({slowest}); {len(wrong)} wrong",
        not wrong,
        (*wrong, *(f"{name}: {_said(each)}" for name, each in ran.items())),
        times=len(ran),
    )


def _said(ran: Measured) -> str:
    try:
        document = json.loads(ran.output)
        said = f"{document['verdict']}: {document.get('problem') or 'no problem'}"
    except (ValueError, KeyError, TypeError):
        said = ran.output[-200:].strip()
    return f"{ran.code}, {ran.peak_mib:.0f} MiB, {ran.seconds:.1f} s, {said[:160]}"


if __name__ == "__main__":
    program(__doc__, attack, cases=0)
