"""Files survive errors, full disks and power cuts: afterwards each has the old content or the new, and can be used."""

from __future__ import annotations

import contextlib  # trial reads a name "suppress" of a module of tests
import errno
import hashlib
import os
import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.trial.unittest import SynchronousTestCase

from patches.errors import SourceError
from patches.scanner.client.cache import ListCache
from patches.scanner.client.trust import SeenList, SeenLists, SeenListsError
from patches.scanner.reporting.outbox import Outbox
from patches.server.sessions.tokens import TokenKey
from patches.signing import BadKey, SigningKey, VerifyKey, create_keys
from patches.sources.csaf.store import Change, DocumentStore
from patches.sources.fetch.cache import CacheEntry, FileRecord, PartialFile
from patches.storage.atomic_file import Unwritable, WholeFile, create_atomically, write_atomically
from tests.failing_disk import WAYS, FailingDisk, PowerCut, failing_disks

URL = "https://feeds.test/all.zip"
CHUNKS = (b"one\n" * 3000, b"two\n" * 3000)
_KEPT_FILES = {"old": b"old content" * 100, "new": b"new content" * 10_000}


@frozen
class Writer:
    """
    A function that writes files.

    :ivar write: writes a version, ``old`` or ``new``, in a folder.
    :ivar state: reads the files, without any memory of them; ``None``: there is no usable content, which costs no more
        than creating or fetching it again.
    :ivar errors: the exceptions that it may raise.
    :ivar begins_empty: whether the folder is empty before.
    :ivar is_silent: whether a failure is logged and not raised, as the loss costs little.
    :ivar unsynced: the suffixes of files that need no sync before they are renamed.
    """

    write: Callable[[Path, str], Any]
    state: Callable[[Path], Any]
    errors: tuple[type[Exception], ...] = ()
    begins_empty: bool = False
    unsynced: tuple[str, ...] = ()
    is_silent: bool = False


def _keep_list(folder: Path, version: str) -> None:
    cache = ListCache(folder, "debian-12")
    cached = cache.keep()
    if cached is None:
        return
    for chunk in CHUNKS:
        cached.add(version.encode() + chunk)
    cached.commit({"revision": version, "digest": "d"})
    cached.close()


def _kept_list(folder: Path) -> Any:
    cached = ListCache(folder, "debian-12").cached()
    return None if cached is None else (cached.revision, list(cached.bodies()))


def _check_list(folder: Path, version: str) -> None:
    cache = ListCache(folder, "debian-12")
    if cache.cached() is None:
        _keep_list(folder, "r1")
    cache.describe({"revision": "r1", "checked": version})


def _checked_list(folder: Path) -> Any:
    cached = ListCache(folder, "debian-12").cached()
    return None if cached is None else (cached.snapshot["checked"], len(list(cached.bodies())))


def _put_report(folder: Path, version: str) -> None:
    Outbox(folder).put(lambda number: {"number": number, "version": version})


def _reports(folder: Path) -> Any:
    return [path.read_bytes() for path in Outbox(folder).pending()]


def _fetch(folder: Path, version: str) -> None:
    content = _KEPT_FILES[version]
    entry = CacheEntry(folder, URL)
    entry.begin(PartialFile(URL, f'"{version}"', None, len(content), ()))
    with entry.partial.open("ab") as file:
        file.write(content)
    entry.keep(FileRecord(URL, f'"{version}"', None, len(content), hashlib.sha256(content).hexdigest(), 0.0))


def _fetched(folder: Path) -> Any:
    entry = CacheEntry(folder, URL)
    begun = entry.begun()
    if begun is not None:
        assert _KEPT_FILES[begun.etag.strip('"')].startswith(entry.partial.read_bytes())
    record = entry.record()
    if record is None:
        return None
    assert hashlib.sha256(entry.path.read_bytes()).hexdigest() == record.sha256
    return record.etag


def _holdings(folder: Path, version: str) -> None:
    change = Change(datetime(2026, 1, 1, tzinfo=UTC), folder / "a.json")
    DocumentStore(folder, version, {"2026/a.json": change}, frozenset({"b"})).keep(folder / "holdings.json")


def _write_whole(folder: Path, version: str) -> None:
    with WholeFile.at(folder / "file") as file:
        file.put(version)


def _make_keys(folder: Path, _: str) -> None:
    create_keys(folder / "key")


def _pair(folder: Path) -> Any:
    """Verify with one key what the other signs. Return whether there is a key."""
    private, public = folder / "key", folder / "key.pub"
    if private.exists():
        signature = SigningKey.from_file(private).sign(b"message")
    if public.exists():
        key = VerifyKey.from_file(public)
        if private.exists():
            key.verify(b"message", signature)
    return (private.exists(), public.exists())


def _token_key(folder: Path) -> Any:
    path = folder / "key"
    return TokenKey.from_file(path).read(TokenKey.from_file(path).create("debian-12", "r")) if path.exists() else None


WRITERS = {
    "list": Writer(_keep_list, _kept_list, is_silent=True),
    "time of the check": Writer(_check_list, _checked_list, is_silent=True),
    "outbox": Writer(_put_report, _reports, (OSError,)),
    "seen lists": Writer(
        lambda folder, version: SeenLists(folder).note("debian-12", SeenList(version, 1.0, 1)),
        lambda folder: SeenLists(folder).newest("debian-12"),
        (SeenListsError,),
    ),
    "fetched file": Writer(_fetch, _fetched, (OSError,), unsynced=(".part",)),
    "CSAF documents": Writer(
        _holdings, lambda folder: DocumentStore.from_file(folder / "holdings.json").state, (SourceError,)
    ),
    "whole file": Writer(_write_whole, lambda folder: (folder / "file").read_text(), (Unwritable,)),
    "atomic file": Writer(
        lambda folder, version: write_atomically(folder / "file", version.encode()),
        lambda folder: (folder / "file").read_bytes(),
        (OSError,),
    ),
    "key of tokens": Writer(
        lambda folder, _: TokenKey.from_file(folder / "key"), _token_key, (OSError,), begins_empty=True
    ),
    "pair of keys": Writer(_make_keys, _pair, (BadKey,), begins_empty=True),
}


class DurabilityTests(SynchronousTestCase):
    """Every writer of files, on disks that fail at every call."""

    def setUp(self) -> None:
        # The disk records the call; waiting for the real sync would take long.
        self.patch(os, "fsync", lambda descriptor: None)

    def folder(self) -> Path:
        """Create an empty folder."""
        folder = Path(self.mktemp())
        folder.mkdir()
        return folder

    def before(self, writer: Writer) -> Path:
        """Create a folder with the content before the write."""
        folder = self.folder()
        if not writer.begins_empty:
            writer.write(folder, "old")
        return folder

    def states(self, writer: Writer) -> tuple[Any, Any]:
        """Return the states before and after the write, if nothing fails."""
        folder = self.before(writer)
        old = writer.state(folder)
        writer.write(folder, "new")
        return old, writer.state(folder)

    def attempt(self, writer: Writer, disk: FailingDisk, folder: Path) -> None:
        """Write on a failing disk; check that the content is new, or that an expected exception was raised."""
        try:
            with disk:
                writer.write(folder, "new")
        except PowerCut:
            pass
        except writer.errors:
            self.assertTrue(disk.failed)
        else:
            if disk.failed and not writer.is_silent:
                reference = self.before(writer)
                writer.write(reference, "new")
                self.assertEqual(writer.state(folder), writer.state(reference), disk.calls)
        if disk.cuts_power:
            disk.lose_unsynced(folder)

    def check(self, name: str, way: str) -> None:
        """Run a writer over failing disks, until one does not reach its failing call."""
        writer = WRITERS[name]
        old, new = self.states(writer)
        self.assertNotEqual(old, new)
        reached = set()
        for disk in failing_disks(way):
            folder = self.before(writer)
            self.attempt(writer, disk, folder)
            where = f"{name}: {way} at call {len(disk.calls)} of {disk.calls}"
            state = writer.state(folder)
            partly = [None] if name == "fetched file" else []  # in that case it is fetched again
            # Then the private key is there; the next run writes its public key.
            partly += [(True, False)] if name == "pair of keys" and way == "a power cut" else []
            self.assertIn(state, [old, new, *partly], where)
            reached.add(state == new)
            if not disk.failed and not (name == "fetched file" and way == "a power cut"):
                self.assertEqual(state, new, where)
            self.again(writer, folder, new, where)
        self.assertEqual(reached, {False} if name == "fetched file" and way == "a power cut" else {True, False})

    def again(self, writer: Writer, folder: Path, new: Any, where: str) -> None:
        """Check that no leftover file prevents the next write, and that it completes what is there in part."""
        if not writer.begins_empty:
            writer.write(folder, "new")
            self.assertIsNotNone(writer.state(folder), where)
            return
        if writer.state(folder) != new:
            writer.write(folder, "new")
        self.assertEqual(writer.state(folder), new, where)

    def test_order(self) -> None:
        """Content is synced before it is renamed into place, and the folder after that."""
        for name, writer in WRITERS.items():
            folder, disk = self.before(writer), FailingDisk(10**6)
            with disk:
                writer.write(folder, "new")
            calls = disk.calls
            put = [line for line in calls if line.split()[0] in ("replace", "link")]
            self.assertTrue(put, name)
            for line in put:
                file = line.partition(" ")[2]
                if file.endswith(writer.unsynced or ("\0",)):
                    continue
                before = calls[: calls.index(line)]
                self.assertIn(f"sync {file}", before, f"{name}: {calls}")
                self.assertLess(
                    max(index for index, each in enumerate(before) if each == f"write {file}"),
                    before.index(f"sync {file}"),
                    f"{name}: {calls}",
                )
            self.assertIn(
                "sync-folder", [each.split()[0] for each in calls[calls.index(put[-1]) :]], f"{name}: {calls}"
            )
            left = [path.name for path in folder.rglob("*") if path.name.endswith(".new")]
            self.assertEqual(left, [], name)

    def test_no_leftover(self) -> None:
        """An error leaves no file behind, so that a disk that fails for long is not filled."""
        for name, writer in WRITERS.items():
            for disk in failing_disks("a full disk"):
                folder = self.before(writer)
                self.attempt(writer, disk, folder)
                left = [path.name for path in folder.rglob("*") if path.name.endswith(".new")]
                if not disk.failed_call.startswith("unlink"):
                    self.assertEqual(left, [], f"{name}: {disk.calls}")

    def test_numbers_of_reports_grow(self) -> None:
        """After any failure the next report has a new number, even if no report is waiting."""
        for way in WAYS:
            for disk in failing_disks(way):
                folder = self.folder()
                _put_report(folder, "old")
                self.attempt(WRITERS["outbox"], disk, folder)
                for path in Outbox(folder).pending():
                    path.unlink()
                numbers: list[int] = []
                Outbox(folder).put(lambda number, numbers=numbers: numbers.append(number) or {})  # type: ignore[misc]
                self.assertGreater(numbers[0], 1, disk.calls)

    def test_key_is_that_of_the_file(self) -> None:
        """A server that got a key has the key in the file: its tokens are valid after a restart."""
        for way in WAYS:
            for disk in failing_disks(way):
                path = self.folder() / "key"
                token = None
                try:
                    with disk:
                        token = TokenKey.from_file(path).create("debian-12", "r1")
                except (OSError, PowerCut):
                    self.assertTrue(disk.failed)
                if disk.cuts_power:
                    disk.lose_unsynced(path.parent)
                key = TokenKey.from_file(path)
                if token is not None:
                    self.assertEqual(key.read(token), ("debian-12", "r1"))
                self.assertEqual(path.stat().st_mode & 0o777, 0o600)

    def test_lone_private_key(self) -> None:
        """On any disk a private key without its public key stays as it is, and a later run writes the public key."""
        for way in WAYS:
            for disk in failing_disks(way):
                folder = self.folder()
                create_keys(folder / "key").unlink()
                before = (folder / "key").read_bytes()
                try:
                    with disk:
                        create_keys(folder / "key")
                except (BadKey, PowerCut):
                    self.assertTrue(disk.failed)
                if disk.cuts_power:
                    disk.lose_unsynced(folder)
                self.assertIn(_pair(folder), [(True, False), (True, True)])
                with contextlib.suppress(BadKey):  # there may be nothing left to do
                    create_keys(folder / "key")
                self.assertEqual(((folder / "key").read_bytes(), _pair(folder)), (before, (True, True)), disk.calls)

    def test_no_copy_of_a_private_key(self) -> None:
        """Temporary files with keys that a power cut left behind are removed by the next run, whatever its result."""
        for disk in failing_disks("a power cut"):
            folder = self.folder()
            with contextlib.suppress(PowerCut), disk:
                create_keys(folder / "key")
            with contextlib.suppress(BadKey):  # there may be nothing left to do
                create_keys(folder / "key")
            self.assertEqual(sorted(path.name for path in folder.iterdir()), ["key", "key.pub"], disk.calls)

    def test_half_a_list(self) -> None:
        """A disk that becomes full in the middle of a list leaves the cached list, and the scan continues."""
        folder = self.folder()
        _keep_list(folder, "old")
        before = _kept_list(folder)
        with FailingDisk(2, errno.ENOSPC) as disk:
            cached = ListCache(folder, "debian-12").keep()
            assert cached is not None
            for _ in range(9):
                cached.add(random.Random(0).randbytes(20_000))
        self.assertTrue(disk.failed)
        cached.commit({"revision": "new", "digest": "d"})
        cached.close()
        self.assertEqual(_kept_list(folder), before)

    def test_created_once(self) -> None:
        """A file that exists is never created again."""
        path = self.folder() / "file"
        create_atomically(path, b"first", mode=0o600)
        self.assertRaises(FileExistsError, create_atomically, path, b"second", mode=0o600)
        self.assertEqual((path.read_bytes(), [each.name for each in path.parent.iterdir()]), (b"first", ["file"]))

    def test_modes(self) -> None:
        """A file has the requested mode, even if the existing file had another one."""
        path = self.folder() / "file"
        for mode in (0o600, 0o644, 0o640):
            write_atomically(path, b"x", mode=mode)
            self.assertEqual(path.stat().st_mode & 0o777, mode)


def _add_tests() -> None:
    for name in WRITERS:
        for way in WAYS:

            def test(self: DurabilityTests, name: str = name, way: str = way) -> None:
                self.check(name, way)

            test.__doc__ = (
                f"After {way} at any call the {name} is the old one or the new one, and can be written again."
            )
            setattr(DurabilityTests, f"test_{name} {way}".replace(" ", "_"), test)


_add_tests()
