"""Tests for :mod:`patches.sources.csaf.fetch`: an archive, and the documents that changed since."""

from __future__ import annotations

import io
import json
import tarfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import zstandard
from twisted.trial.unittest import SynchronousTestCase

from patches.errors import SourceError
from patches.sources.csaf.fetch import CsafFetch
from patches.sources.csaf.index import parse_archive_name, parse_times
from patches.sources.csaf.store import Change, DocumentStore
from tests.sources.feed_case import FeedCase, run
from tests.sources.vex_documents import simple

BASE = "https://vex.test/vex"
ARCHIVE = f"{BASE}/csaf_vex_2026-11-20.tar.zst"


def path_of(number: int) -> str:
    """Return the path of a document."""
    return f"2024/cve-2024-000{number}.json"


def vex(number: int, package: str = "curl") -> bytes:
    """Return a document."""
    return json.dumps(simple(package, f"CVE-2024-000{number}")).encode()


def archive(**documents: bytes) -> bytes:
    """Return an archive of documents, by the names of their files."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as file:
        for name, content in documents.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    return zstandard.ZstdCompressor().compress(made.getvalue())


def table(*rows: tuple[int, str]) -> bytes:
    """Return a list of changes or of deletions in Red Hat's format."""
    return "".join(f'"{path_of(number)}","{time}"\n' for number, time in rows).encode()


class ListingTests(SynchronousTestCase):
    """The lists beside the archive."""

    def test_archive_name(self) -> None:
        """The name contains the day."""
        name, day = parse_archive_name(["csaf_vex_2026-11-20.tar.zst\n"])
        self.assertEqual((name, day), ("csaf_vex_2026-11-20.tar.zst", datetime(2026, 11, 20, tzinfo=UTC)))
        for text in ("", "<html>", "../x_2026-11-20.tar.zst", "x_2026-13-20.tar.zst", "x_2026-11-20.exe", "a\nb"):
            with self.assertRaisesRegex(SourceError, r"^'.*' is not the name of an archive$"):
                parse_archive_name([text])

    def test_times(self) -> None:
        """Of several times of a document the last one is used, in any zone."""
        text = table((1, "2026-11-20T01:00:00+02:00"), (1, "2026-11-20T00:00:00+00:00"), (2, "2026-11-20T00:00:00Z"))
        day = datetime(2026, 11, 20, tzinfo=UTC)
        self.assertEqual(parse_times(text.decode().splitlines(keepends=True)), {path_of(1): day, path_of(2): day})
        self.assertEqual(parse_times(["\n"]), {})

    def test_no_list(self) -> None:
        """A line that cannot be parsed may be about any document, so the whole list is refused."""
        for text in ("<html>", "a,b,c", '"2024/x.json","soon"', '"../x.json","2026-11-20T00:00:00Z"', '"x'):
            with self.assertRaisesRegex(SourceError, "after 0 documents"):
                parse_times(text.splitlines(keepends=True))


class HoldingsTests(SynchronousTestCase):
    """The file of a document store."""

    def test_kept(self) -> None:
        """A store that is written is read again."""
        path = Path(self.mktemp())
        change = Change(datetime(2026, 11, 20, tzinfo=UTC), Path("/b"))
        store = DocumentStore(Path("/a"), "state", {"2024/x.json": change}, frozenset({"2024/y.json"}))
        store.keep(path)
        self.assertEqual(DocumentStore.from_file(path), store)
        self.assertEqual(DocumentStore.from_file(path).fingerprint(), store.fingerprint())

    def test_damaged(self) -> None:
        """Another document, or another version, is refused."""
        path = Path(self.mktemp())
        for content in (None, b"", b"7", b"[]", b"{}", b'{"version": 2}', b'{"version": 1, "changed": [[1]]}'):
            if content is not None:
                path.write_bytes(content)
            with self.assertRaises(SourceError):
                DocumentStore.from_file(path)


class ProviderCase(FeedCase):
    """A case with a provider: three documents in an archive, one of which changed since, and one was deleted."""

    def setUp(self) -> None:
        super().setUp()
        self.kept = self.folder / "documents"
        self.used: list[Path] = []
        self.fetch = self.fetcher()
        self.site.files = {
            f"{BASE}/archive_latest.txt": b"csaf_vex_2026-11-20.tar.zst",
            ARCHIVE: archive(**{path_of(1): vex(1), path_of(2): vex(2), f"./{path_of(3)}": vex(3)}),
            f"{BASE}/changes.csv": table(
                (2, "2026-11-20T06:00:00+00:00"), (4, "2026-11-20T05:00:00Z"), (1, "2026-11-01T00:00:00Z")
            ),
            f"{BASE}/deletions.csv": table((3, "2026-11-20T07:00:00+00:00"), (1, "2025-01-01T00:00:00+00:00")),
            f"{BASE}/{path_of(2)}": vex(2, "changed"),
            f"{BASE}/{path_of(4)}": vex(4),
        }

    def fetcher(self, **rest: Any) -> CsafFetch:
        """Create a fetch as in a new process."""
        return CsafFetch(self.site, self.site, run, self.kept, self.used.extend, **rest)

    def single(self) -> list[str]:
        """Return the single documents that were requested since the last call."""
        return [each for each in self.site.news() if each.endswith(".json")]


class FetchTests(ProviderCase):
    """The files of a provider that are fetched."""

    def documents(self, **rest: Any) -> dict[str, bytes]:
        """Fetch all documents."""
        return dict(DocumentStore.from_file(self.had(self.fetch(BASE)).path).documents(**rest))

    def test_all(self) -> None:
        """A changed document replaces the archived one, a deleted one is gone; earlier changes are in the archive."""
        expected = {path_of(1): vex(1), path_of(2): vex(2, "changed"), path_of(4): vex(4)}
        self.assertEqual(self.documents(), expected)
        self.assertEqual(self.single(), [f"{BASE}/{path_of(4)}", f"{BASE}/{path_of(2)}"])

    def test_unchanged(self) -> None:
        """A document is fetched once per change, even across processes."""
        first = self.had(self.fetch(BASE))
        self.single()
        self.assertEqual(self.had(self.fetch(BASE)), first)
        self.fetch = self.fetcher()
        self.assertEqual(self.had(self.fetch(BASE)), first)
        self.assertEqual(self.single(), [])
        self.site.files[f"{BASE}/changes.csv"] += table((2, "2026-11-20T09:00:00Z"))
        self.assertNotEqual(self.had(self.fetch(BASE)).state, first.state)
        self.assertEqual(self.single(), [f"{BASE}/{path_of(2)}"])

    def test_in_use(self) -> None:
        """Documents that are not fetched again are in use as long as they are requested, even if that fails."""
        store = DocumentStore.from_file(self.had(self.fetch(BASE)).path)
        self.assertEqual(self.used, [])
        del self.site.files[f"{BASE}/archive_latest.txt"]
        self.fetch = self.fetcher()
        self.refusal(self.fetch(BASE))
        self.assertEqual(set(self.used), {store.archive, *(each.path for each in store.changed.values())})

    def test_lost(self) -> None:
        """A document whose file is missing is fetched again."""
        DocumentStore.from_file(self.had(self.fetch(BASE)).path).changed[path_of(4)].path.unlink()
        self.single()
        self.assertIn(path_of(4), self.documents())
        self.assertEqual(self.single(), [f"{BASE}/{path_of(4)}"])

    def test_back(self) -> None:
        """A document that was deleted and restored exists; one that was changed and deleted does not."""
        self.site.files[f"{BASE}/changes.csv"] += table((3, "2026-11-20T08:00:00Z"))
        self.site.files[f"{BASE}/{path_of(3)}"] = vex(3, "back")
        self.site.files[f"{BASE}/deletions.csv"] += table((2, "2026-11-20T06:00:00Z"))
        documents = self.documents()
        self.assertEqual(documents[path_of(3)], vex(3, "back"))
        self.assertNotIn(path_of(2), documents)

    def test_margin(self) -> None:
        """A change in the hours before the archive's day may not be in it yet."""
        self.site.files[f"{BASE}/changes.csv"] = table((2, "2026-11-19T12:00:00Z"), (4, "2026-11-19T11:59:59Z"))
        self.documents()
        self.assertEqual(self.single(), [f"{BASE}/{path_of(2)}"])

    def test_new_archive(self) -> None:
        """A newer archive replaces the documents that were fetched one by one."""
        state = self.had(self.fetch(BASE)).state
        self.site.files[f"{BASE}/archive_latest.txt"] = b"csaf_vex_2026-11-21.tar.zst"
        self.site.files[f"{BASE}/csaf_vex_2026-11-21.tar.zst"] = archive(**{path_of(4): vex(4)})
        self.single()
        self.assertEqual(self.documents(), {path_of(4): vex(4)})
        self.assertEqual(self.single(), [])
        self.assertNotEqual(self.had(self.fetch(BASE)).state, state)

    def test_missing(self) -> None:
        """Without one of its parts there is no list; after a failure the fetch continues where it was."""
        for name in ("archive_latest.txt", "changes.csv", "deletions.csv", "csaf_vex_2026-11-20.tar.zst", path_of(2)):
            content = self.site.files.pop(f"{BASE}/{name}")
            self.assertIn(f"{BASE}/{name}", self.refusal(self.fetch(BASE)))
            self.site.files[f"{BASE}/{name}"] = content
        self.assertEqual(self.single(), [f"{BASE}/{path_of(4)}", f"{BASE}/{path_of(2)}"])
        self.documents()
        self.assertEqual(self.single(), [f"{BASE}/{path_of(2)}"])
        self.site.files[f"{BASE}/changes.csv"] = b"<html>"
        self.assertIn(f"{BASE}/changes.csv: after 0 documents", self.refusal(self.fetch(BASE)))

    def test_too_many(self) -> None:
        """An archive that is much too old is refused, before thousands of documents are requested."""
        self.fetch = self.fetcher(most=1)
        self.assertIn("2 documents are newer than csaf_vex_2026-11-20.tar.zst", self.refusal(self.fetch(BASE)))
        self.assertEqual(self.single(), [])

    def test_alone(self) -> None:
        """A location may be an archive itself."""
        found = DocumentStore.from_file(self.had(self.fetch(ARCHIVE)).path)
        self.assertEqual(dict(found.documents()), {path_of(number): vex(number) for number in (1, 2, 3)})
        self.assertEqual(self.site.news(), [ARCHIVE])
