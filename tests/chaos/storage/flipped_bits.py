"""
One flipped bit after the other in what the daemons keep, while they run and while they are stopped.

The promise: each is found and mended, or refused in words, and no scan has a wrong result.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from random import Random
from typing import Any

from attrs import define, field, frozen
from sqlalchemy.exc import DatabaseError

from patches.server.catalogue.damage.file import CatalogueFile
from patches.server.catalogue.delta_store import DeltaStore
from patches.server.catalogue.integrity import find_damage, verified_chunk
from patches.server.catalogue.publication_store import PublicationStore
from patches.server.catalogue.schema import open_database
from patches.server.catalogue.store import Catalogue
from patches.server.errors import CatalogueError
from patches.server.refresh.publication.staged_lists import StagedLists
from patches.wire import encode_line
from tests.chaos.attack import Outcome, program
from tests.integration.daemons import PATCHES, Daemon
from tests.integration.sample_host import write_host
from tests.integration.sample_lists import made_up, write_list
from tests.integration.web_servers import FileServer

PLATFORM = "debian-12"


@frozen
class Flip:
    """
    A flipped bit.

    :ivar where: the file, and the place in it, in words.
    """

    kind: str
    where: str


@frozen
class Row:
    """
    One row of the table.

    :ivar found: the line of a log that says so; or why there is none.
    :ivar seconds: until everything was whole again; ``None``: it never was.
    :ivar wrong: what a scan said wrongly meanwhile.
    """

    flip: Flip
    running: bool
    found: str
    seconds: float | None
    wrong: str

    def text(self) -> str:
        """Return the row for people."""
        when = "running" if self.running else "stopped"
        ended = "never" if self.seconds is None else f"{self.seconds:5.1f} s"
        return f"{self.flip.kind:<24} {when:<8} {ended:<8} {self.flip.where:<46} {self.wrong or self.found}"


@define(eq=False)
class Stand:
    """
    A feed on a web server, a server that reads it, a reporter, a scanner's folders, and what a right scan says.

    :ivar right: the findings.
    :ivar shown: the same, as the reporter shows them.
    """

    folder: Path
    web: FileServer
    server: Daemon
    reporter: Daemon
    root: Path
    right: set[str] = field(factory=set)
    shown: Any = None

    @property
    def catalogue(self) -> Path:
        """The catalogue's file."""
        return self.folder / "server/catalogue.sqlite"

    @property
    def staged(self) -> Path:
        """The file of the staged lists."""
        return self.folder / "server/lists.sqlite"

    @property
    def reports(self) -> Path:
        """The file of the reporter."""
        return self.folder / "reporter/reports.sqlite"

    def start(self) -> None:
        """Start the daemons."""
        self.server.start()
        self.reporter.start()

    def stop(self) -> None:
        """Stop the daemons."""
        self.server.stop()
        self.reporter.stop()

    def scan(self, report: bool = False) -> tuple[int, set[str] | None]:
        """Scan the host. Return the exit code, and the findings if it says that it is complete."""
        command = [PATCHES, "scan", "--root", self.root, "--format", "json", "--timeout", "40s"]
        command += ["--patches-server", f"http://127.0.0.1:{self.server.port}", "--cache", self.folder / "cache"]
        if report:
            command += ["--reporter", f"http://127.0.0.1:{self.reporter.port}/v1/reports"]
            command += ["--state-dir", self.folder / "state"]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=self.folder)
        try:
            document = json.loads(ran.stdout)
        except ValueError:
            return ran.returncode, None
        if document["verdict"] not in ("clean", "findings"):
            return ran.returncode, None
        return ran.returncode, {json.dumps(each, sort_keys=True) for each in document["findings"]}

    def reported(self) -> Any:
        """Return the findings that the reporter shows; a host that it finds damaged then is shown no longer."""
        _, listed = self.reporter.ask("/v1/hosts")
        shown = [self.reporter.ask(f"/v1/hosts/{each['host']}/findings")[1] for each in listed["hosts"]]
        return [each["vulnerabilities"] for each in shown if "vulnerabilities" in each]

    def said(self, since: tuple[int, int] = (0, 0)) -> str:
        """Return what the daemons have said since two positions in their logs."""
        return self.server.text()[since[0] :] + self.reporter.text()[since[1] :]

    def positions(self) -> tuple[int, int]:
        """Return the lengths of the logs."""
        return len(self.server.text()), len(self.reporter.text())


def flip_bit(content: bytes, rng: Random) -> tuple[bytes, int]:
    """Return the content with one flipped bit, and its byte."""
    changed = bytearray(content)
    position = rng.randrange(len(changed))
    changed[position] ^= 1 << rng.randrange(8)
    return bytes(changed), position


def _cell(path: Path, table: str, column: str, rng: Random, where: str = "1", kind: str = "") -> Flip:
    """Flip a bit of a value in a database, without the database's noticing."""
    with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as database:
        database.text_factory = bytes
        # A bit of the key may flip, too: rows are found by the key as it was.
        told = database.execute(f"PRAGMA table_info({table})").fetchall()
        keys = [each[1].decode() for each in told if each[5]]
        rows = database.execute(f"SELECT {', '.join(keys)} FROM {table} WHERE {where}").fetchall()
        if not rows:
            return Flip(kind, "there is none")
        chosen = rng.choice(rows)
        match = " AND ".join(f"{name} IS ?" for name in keys)
        values = [_value(each) for each in chosen]
        old = database.execute(f"SELECT {column} FROM {table} WHERE {match}", values).fetchone()[0]
        (kind_of_value,) = database.execute(f"SELECT typeof({column}) FROM {table} WHERE {match}", values).fetchone()
        for _ in range(100):
            new = _changed(old, rng, kind_of_value == b"text")
            with suppress(sqlite3.IntegrityError):  # another row has that key
                database.execute(f"UPDATE {table} SET {column} = ? WHERE {match}", [new, *values])
                break
    return Flip(kind, f"{path.name}: {table}.{column}")


def _changed(value: Any, rng: Random, is_text: bool) -> Any:
    """Return a value of a database with one flipped bit."""
    if isinstance(value, int):
        return value ^ (1 << rng.randrange(6))
    if isinstance(value, float):
        return value + 2.0 ** rng.randrange(20)
    new, _ = flip_bit(value, rng)
    return _value(new) if is_text else new


def _value(content: Any) -> Any:
    if not isinstance(content, bytes):
        return content
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content


def _file(path: Path, rng: Random, kind: str, start: int = 0) -> Flip:
    content = path.read_bytes()
    changed, position = flip_bit(content[start:], rng)
    with path.open("r+b") as file:
        file.seek(start + position)
        file.write(changed[position : position + 1])
    return Flip(kind, f"{path.name[-30:]}: byte {start + position:,}")


def _page(path: Path, rng: Random, kind: str) -> Flip:
    """Flip a bit of a random page of a database, once everything is in its main file."""
    with closing(sqlite3.connect(path, timeout=30)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return _file(path, rng, kind)


def _newest(folder: Path, pattern: str) -> Path:
    return max(folder.rglob(pattern), key=lambda path: path.stat().st_mtime)


#: Each kind of flip; it gets the stand.
FLIPS: dict[str, Callable[[Stand, Random], Flip]] = {
    "chunk": lambda s, r: _cell(s.catalogue, "chunks", "encoded", r, _OF_CURRENT, "chunk"),
    "chunk digest": lambda s, r: _cell(s.catalogue, "chunks", "digest", r, _OF_CURRENT, "chunk digest"),
    "chunk's lines": lambda s, r: _cell(s.catalogue, "chunks", "vulnerabilities", r, _OF_CURRENT, "chunk's lines"),
    "description": lambda s, r: _cell(
        s.catalogue, "snapshots", r.choice(_DESCRIPTION), r, "retired IS NULL", "description"
    ),
    "delta chunk": lambda s, r: _cell(
        s.catalogue, "chunks", "encoded", r, "revision IN (SELECT name FROM deltas)", "delta chunk"
    ),
    "delta": lambda s, r: _cell(s.catalogue, "deltas", r.choice(("since", "revision", "changes")), r, kind="delta"),
    "publication": lambda s, r: _cell(
        s.catalogue, "publications", r.choice(("revision", "digest")), r, "ended IS NULL", "publication"
    ),
    "id": lambda s, r: _cell(s.catalogue, "intervals", "id", r, "last IS NULL", "id"),
    "staged line": lambda s, r: _cell(s.staged, "lines", r.choice(("line", "name", "crc")), r, kind="staged line"),
    "staged list": lambda s, r: _cell(
        s.staged, "readings", r.choice(("state", "source", "seal")), r, kind="staged list"
    ),
    "catalogue page": lambda s, r: _page(s.catalogue, r, "catalogue page"),
    "staged page": lambda s, r: _page(s.staged, r, "staged page"),
    "fetched file": lambda s, r: _file(_newest(s.folder / "server", "*-list.ndjson"), r, "fetched file"),
    "scanner's list": lambda s, r: _file(_newest(s.folder / "cache", "*.chunks"), r, "scanner's list"),
    "scanner's description": lambda s, r: _file(_newest(s.folder / "cache", "*.json"), r, "scanner's description"),
    "reporter page": lambda s, r: _page(s.reports, r, "reporter page"),
    "reported row": lambda s, r: _cell(s.reports, *r.choice(_REPORTED), r, kind="reported row"),
    "report": lambda s, r: _report(s, r),
    "session key": lambda s, r: _file(s.folder / "server/session.key", r, "session key"),
}
_OF_CURRENT = "revision IN (SELECT revision FROM snapshots WHERE retired IS NULL)"
_REPORTED = (
    ("hosts", "shown"),
    ("scans", "served"),
    ("scans", "complete"),
    ("findings", "severity"),
    ("findings", "host"),
)
_DESCRIPTION = ("platform", "digest", "sources", "created", "checked", "chunks", "vulnerabilities", "seal")


def _report(stand: Stand, rng: Random) -> Flip:
    """Flip a bit of a report that waits for a reporter: one is stored while that is down."""
    running = stand.reporter.process is not None and stand.reporter.process.poll() is None
    if running:
        stand.reporter.stop()
    stand.scan(report=True)
    flip = _file(_newest(stand.folder / "state/outbox", "[0-9]*.json"), rng, "report")
    if running:
        stand.reporter.start(stand.reporter.port)
    return flip


def problems(stand: Stand) -> Iterator[str]:
    """Yield what is not whole in the state of the server, by looking at all of it from outside."""
    try:
        engine = open_database(stand.catalogue)
        try:
            CatalogueFile.open(stand.catalogue).engine.dispose()
            catalogue = Catalogue(engine)
            yield from (f"unsealed {revision}" for _, revision in catalogue.unsealed())
            current = catalogue.current()
            if [each.platform for each in current] != [PLATFORM]:
                yield "no current list"
            for snapshot in catalogue.snapshots():
                yield from find_damage(catalogue, snapshot)
                yield from filter(None, [snapshot.damaged])
            deltas = DeltaStore(engine)
            yield from deltas.damaged()
            for name in deltas.names():
                for number in range(len(catalogue.heads(name))):
                    verified_chunk(catalogue, name, number)
            if current and PublicationStore(engine).mend(PLATFORM):
                yield "publications"
        finally:
            engine.dispose()
        with closing(sqlite3.connect(stand.staged, timeout=30)) as database:
            if database.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                yield "staged file"
            lists = StagedLists(database)
            lists.verify_descriptions()
            if not database.execute("SELECT 1 FROM readings WHERE current").fetchone():
                yield "no staged list"
            lists.verify_after((-1, "", "", ""), 10**9)
    except (CatalogueError, DatabaseError, sqlite3.Error) as error:
        yield str(error)


def _is_whole(stand: Stand, flip: Flip, said: tuple[int, int]) -> bool:
    if flip.kind in ("id", "publication") and "publications of" not in stand.said(said):
        return False  # the look from outside would mend it; the server compares them at its start, and each hour
    if next(problems(stand), None) is not None:
        return False
    if flip.kind == "fetched file":
        return _newest(stand.folder / "server", "*-list.ndjson").read_bytes() == stand.web.body
    if flip.kind in ("report", "reporter page", "reported row") and stand.reported() != stand.shown:
        return False
    return stand.server.ask(f"/ready?platform={PLATFORM}")[0] == 200


def _attempt(stand: Stand, rng: Random, kind: str, running: bool, seconds: float) -> Row:
    wrong = ""
    if not running:
        stand.stop()
    said = stand.positions()
    flip = FLIPS[kind](stand, rng)
    began = time.monotonic()
    if not running:
        stand.start()
    elif kind in ("id", "publication", "session key", "fetched file", "reporter page"):
        # These are verified at the start; the first two also once an hour, the fetched file when the source is asked.
        stand.stop()
        stand.start()
    if kind == "reported row" and stand.reported() not in ([], stand.shown):
        wrong = "WRONG: the reporter shows what was not reported"
    ended: float | None = None
    while time.monotonic() - began < seconds:
        code, found = stand.scan(report=kind in ("report", "reporter page", "reported row"))
        if found is not None and found != stand.right:
            wrong = f"WRONG: exit code {code}, {len(found ^ stand.right)} findings differ"
        with suppress(OSError):
            if found is not None and _is_whole(stand, flip, said):
                ended = time.monotonic() - began
                break
        time.sleep(0.3)
    lines = [line for line in stand.said(said).splitlines() if "damaged" in line or "Traceback" in line]
    traces = [line for line in lines if "Traceback" in line]
    found_by = lines[0].partition("] ")[2][:90] if lines else _QUIET.get(kind, "no line: it is in nothing that is used")
    return Row(flip, running, found_by, ended, wrong or ("a traceback" if traces else ""))


#: What is said of a flip that no daemon has a line about.
_QUIET = {
    "chunk": "the list was published anew at the start, with all its chunks",
    "delta": "it was computed anew at the start",
    "scanner's list": "verified by the scanner, which takes the server's list",
    "scanner's description": "verified by the scanner, which takes the server's list",
    "session key": "tokens of before are refused as unknown; sessions are opened anew",
    "report": "set aside by the scanner, which sends the next one",
    "reported row": "the next report of the host replaced its state",
    "reporter page": "not found; the next report of the host replaces its state",
}


def attack(rng: Random, folder: Path, flips: int, records: int, seconds: int) -> Outcome:
    """
    Flip bits, one after the other; each kind in turn, while the daemons run and while they are stopped.

    :param records: of the list.
    :param seconds: the longest time until everything is whole again.
    """
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    feed = write_list(folder / "list.ndjson", records)
    web = FileServer(feed.read_bytes())
    threading.Thread(target=web.serve_forever, daemon=True).start()
    config = folder / "server.toml"
    config.write_text(f'[source.made-up]\nkind = "ndjson"\nurl = "http://127.0.0.1:{web.port}/list.ndjson"\n')
    options = ("--config", str(config), "--refresh-interval", "1m")
    server = Daemon("patches-server", folder / "server", *options)
    reporter = Daemon("patches-reporter", folder / "reporter")
    installed = {f"package-{number}": "1:0.0-0" for number in range(40)}
    stand = Stand(folder, web, server, reporter, write_host(folder / "host", "debian", "12", installed))
    rows: list[Row] = []
    try:
        stand.start()
        server.wait_until_ready()
        # A second publication, so that there is a delta, and a list that was replaced.
        with feed.open("ab") as file:
            file.write(encode_line(made_up(records, PLATFORM)))
        web.body = feed.read_bytes()
        stand.stop()
        stand.start()
        _wait_for_delta(stand)
        code, found = stand.scan(report=True)
        assert found, (code, server.text()[-2000:])
        stand.right, stand.shown = found, stand.reported()
        kinds = list(FLIPS)
        rng.shuffle(kinds)
        for number in range(flips):
            rows.append(_attempt(stand, rng, kinds[number % len(kinds)], number % 2 == 0, seconds))
            print(rows[-1].text(), flush=True)
    finally:
        for daemon in (server, reporter):
            if daemon.process is not None and daemon.process.poll() is None:
                daemon.stop()
        web.shutdown()
        web.server_close()
    mended = [row for row in rows if row.seconds is not None and not row.wrong]
    slowest = max((row.seconds or 0.0 for row in rows), default=0.0)
    return Outcome(
        "every flipped bit is found and mended or refused, and no scan is wrong",
        f"{flips} flipped bits, {records:,} records",
        f"{len(mended)} of {len(rows)}, the slowest after {slowest:.0f} s",
        len(mended) == flips,
        tuple(row.text() for row in rows),
    )


def _wait_for_delta(stand: Stand) -> None:
    for _ in range(300):
        with suppress(Exception), closing(sqlite3.connect(stand.catalogue)) as database:
            if database.execute("SELECT count(*) FROM deltas").fetchone()[0]:
                return
        time.sleep(0.1)
    raise AssertionError(stand.server.text()[-3000:])


if __name__ == "__main__":
    program(__doc__, attack, flips=24, records=12_000, seconds=90)
