"""Tests for :mod:`patches.sources.csaf.store`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from patches.errors import SourceError
from patches.sources.csaf.store import Change, DocumentStore

DAY = datetime(2026, 11, 20, tzinfo=UTC)


class HoldingsTests(SynchronousTestCase):
    """An archive with three documents, of which one has changed and one is deleted; and a new document."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        (self.folder / "archive/2024").mkdir(parents=True)
        for name in ("a", "b", "c"):
            (self.folder / f"archive/2024/{name}.json").write_text(f"old {name}")
        changes = {}
        for name in ("b", "d"):
            path = self.folder / f"changed-{name}.json"
            path.write_text(f"new {name}")
            changes[f"2024/{name}.json"] = Change(DAY, path)
        self.subject = DocumentStore(self.folder / "archive", "state", changes, frozenset({"2024/c.json"}))
        self.path = self.folder / "holdings.json"

    def test_documents(self) -> None:
        """A changed document replaces the archived one, a deleted one is not yielded, and a new one is."""
        found = dict(self.subject.documents())
        self.assertEqual(found, {"2024/a.json": b"old a", "2024/b.json": b"new b", "2024/d.json": b"new d"})

    def test_fresh_folder(self) -> None:
        """The folder of the store is created."""
        path = self.folder / "new" / "feeds" / "holdings.json"
        self.subject.keep(path)
        self.assertEqual(DocumentStore.from_file(path), self.subject)

    def test_kept(self) -> None:
        """A store that is written is read again, equal."""
        self.subject.keep(self.path)
        self.assertEqual(DocumentStore.from_file(self.path), self.subject)
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)

    def test_something_else(self) -> None:
        """A file that is missing, damaged, or of another version is an error that names the file."""
        self.subject.keep(self.path)
        whole = self.path.read_text()
        for text in (
            "",
            "[]",
            "{}",
            whole[:-5],
            whole.replace('"version": 1', '"version": 2'),
            whole.replace("2026", "?"),
        ):
            self.path.write_text(text)
            self.assertIn(str(self.path), str(self.assertRaises(SourceError, DocumentStore.from_file, self.path)))
        self.path.unlink()
        self.assertRaises(SourceError, DocumentStore.from_file, self.path)

    def test_fingerprint(self) -> None:
        """The fingerprint changes with the archive, each change, its time, and each deletion; and with nothing else."""
        one = self.subject.changed["2024/b.json"]
        others = (
            evolve(self.subject, state="other"),
            evolve(self.subject, deleted=frozenset()),
            evolve(self.subject, changed={"2024/b.json": one}),
            evolve(
                self.subject, changed={**self.subject.changed, "2024/b.json": evolve(one, time=DAY.replace(day=21))}
            ),
        )
        self.assertEqual(len({each.fingerprint() for each in (self.subject, *others)}), 5)
        moved = evolve(self.subject, changed=dict(reversed(self.subject.changed.items())))
        self.assertEqual(moved.fingerprint(), self.subject.fingerprint())
