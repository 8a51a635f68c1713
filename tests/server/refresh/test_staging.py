"""Tests for :mod:`patches.server.refresh.staging`: the last list of each source, on disk."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.followed import followed_records
from patches.server.errors import CatalogueError
from patches.server.refresh.staging import ImportResult, StagingStore
from patches.vulnerability import ALL_PLATFORMS, FOLLOWED, Facts, Severity, Vulnerability
from patches.wire import encode_line, from_wire
from tests.control_characters import HARMFUL, harmful_record
from tests.server.fake_catalogue import lines, vulnerabilities, vulnerability

READ = ImportResult("etag-1", None, {}, 1000.0)


class ListsTests(SynchronousTestCase):
    """Staged lists of two sources."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        self.lists = StagingStore(self.path)
        self.addCleanup(lambda: self.lists.close())

    def put(
        self, records: list[Vulnerability], source: str = "debian", key: str = "all", read: ImportResult = READ
    ) -> set[str]:
        """Stage a whole list."""
        import_id = self.lists.begin(source, key)
        self.lists.add(import_id, records)
        return self.lists.commit(import_id, read)

    def told(self, platform: str = "debian-12", source: str = "debian") -> list[bytes]:
        """Return the lines of a platform."""
        return [line for _, line in self.lists.lines(platform, source)]

    def test_order(self) -> None:
        """Lines are ordered by name, in whatever order they were added."""
        records = vulnerabilities(300)
        self.put(random.Random(1).sample(records, 300))
        self.assertEqual(self.told(), lines(records))

    def test_facts_of_ids(self) -> None:
        """The facts about an id are found; the source that is named first goes before."""
        rating = {"severity": Severity.HIGH, "severity_source": "nvd", "cvss": "CVSS:3.1/AV:N", "score": 7.5}
        nvd = Vulnerability("CVE-1", ALL_PLATFORMS, **rating)  # type: ignore[arg-type]
        self.put([nvd, evolve(nvd, name="CVE-2")], "nvd", "2024")
        self.put([evolve(nvd, name="CVE-3", score=5.0)], "nvd", "2025")
        self.put([Vulnerability("CVE-1", ALL_PLATFORMS, kev="2022-04-06"), evolve(nvd, name="CVE-3")], "kev")
        self.put(vulnerabilities(3))
        with self.lists.view() as view:
            find = view.facts_of(("nvd", "kev"))
            self.assertEqual(find("CVE-1"), Facts(*rating.values(), kev="2022-04-06"))  # type: ignore[arg-type]
            found = find("CVE-3"), view.facts_of(("kev", "nvd"))("CVE-3"), view.facts_of(())("CVE-1"), find("CVE-4")
            self.assertEqual([each and each.score for each in found], [5.0, 7.5, None, None])
        self.assertEqual(self.lists.enriching_sources(), {"nvd", "kev"})
        self.assertEqual(self.lists.names("kev", "all"), {"CVE-1", "CVE-3"})
        self.assertEqual((self.lists.names("nvd", "all"), self.lists.names("x", "all")), (frozenset(), frozenset()))
        self.assertEqual(self.lists.facts(ALL_PLATFORMS)["nvd"]["read"], 3)

    def test_damaged_facts(self) -> None:
        """Facts that are damaged are found when they are used, and their list is read again."""
        self.put([Vulnerability("CVE-1", ALL_PLATFORMS, kev="2022-04-06")], "kev")
        self.lists._database.execute("UPDATE lines SET line = replace(line, '2022', '2021')")
        with self.assertRaises(CatalogueError), self.lists.view() as view:
            view.facts_of(("kev",))("CVE-1")
        self.assertEqual(self.lists.take_dropped(), [("kev", "all")])

    def test_control_characters(self) -> None:
        """Records are escaped here, whatever source they are of; what is gone is still found by its key."""
        odd = [evolve(vulnerability(1), name=f"CVE-2024-000{n}{text}", note=text) for n, text in enumerate(HARMFUL)]
        self.put([harmful_record(text, each) for text, each in zip(HARMFUL, odd, strict=True)])
        self.assertEqual(self.told(), [])  # the platform is another one
        self.put(odd)
        self.assertEqual(
            [line for line in self.told() if not line.decode("utf-8").removesuffix("\n").isprintable()], []
        )
        self.assertEqual(len(self.told()), len(odd))
        import_id = self.lists.begin("debian", "all")
        self.lists.add(import_id, [evolve(each, entry=each.name) for each in odd])
        self.lists.commit(import_id, READ, [(each.platform, each.name, each.name) for each in odd])
        self.assertEqual(self.told(), [])

    def test_published(self) -> None:
        """A list is published when that is noted; once it is read again, or changed, it is not."""

        def published() -> bool:
            known = self.lists.known("debian", "all")
            assert known is not None
            return known[0].published

        self.put(vulnerabilities(3))
        self.assertFalse(published())
        self.lists.note_published("debian", "other")
        self.assertFalse(published())
        self.lists.note_published("debian", "all")
        self.assertTrue(published())
        import_id = self.lists.begin("debian", "all")
        self.lists.commit_changes(import_id, READ)
        self.assertFalse(published())

    def test_gone(self) -> None:
        """Records that the source no longer has are removed with the changes, also those that it yielded itself."""
        self.put(vulnerabilities(5))
        import_id = self.lists.begin("debian", "all")
        self.lists.add(import_id, vulnerabilities(7)[5:])
        names = [each.name for each in vulnerabilities(7)]
        gone = {("debian-12", name, "") for name in (names[1], names[6])}
        self.lists.commit_changes(import_id, READ, gone)
        self.assertEqual(
            self.told(), lines(each for each in vulnerabilities(7) if each.name not in (names[1], names[6]))
        )
        self.assertEqual(self.lists.facts("debian-12")["debian"]["read"], 5)

    def test_entries(self) -> None:
        """Records of one name and note that were made of several entries are all kept."""
        records = [evolve(vulnerability(1, href=f"https://{n}"), entry=f"entry {n}") for n in range(3)]
        self.put(records)
        self.assertEqual(len(self.told()), 3)

    def test_earlier_version(self) -> None:
        """The file of an earlier version is used; its lists count as not yet published."""
        self.put(vulnerabilities(3))
        self.lists.note_published("debian", "all")
        database = self.lists._database
        database.executescript(
            "ALTER TABLE readings DROP COLUMN published; ALTER TABLE readings DROP COLUMN seal;"
            "ALTER TABLE lines DROP COLUMN crc; PRAGMA user_version=2;"
        )
        self.lists.close()
        self.lists = StagingStore(self.path)
        known = self.lists.known("debian", "all")
        assert known is not None
        self.assertEqual((known[0].published, len(self.told())), (False, 3))

    def test_later_version(self) -> None:
        """The file of a later version is refused, and left as it is; one that is absent or no database is not."""
        self.put(vulnerabilities(3))
        self.lists._database.execute("PRAGMA user_version=1000")
        self.lists.close()
        before = self.path.read_bytes()
        for use in (StagingStore.verify_version, lambda lists: lists.begin("debian", "all")):
            with self.assertRaisesRegex(CatalogueError, "version is 1000; this program knows 5"):
                use(StagingStore(self.path))
        self.assertEqual(self.path.read_bytes(), before)
        self.path.write_bytes(b"nonsense" * 1000)
        StagingStore(self.path).verify_version()
        StagingStore(self.path.with_name("absent.sqlite")).verify_version()
        self.assertFalse(self.path.with_name("absent.sqlite").exists())

    def test_several_keys(self) -> None:
        """Several lists of one source about one platform are read as one, ordered by name."""
        records = vulnerabilities(20)
        self.put(records[::2], key="main")
        self.put(records[1::2], key="community")
        self.assertEqual(self.told(), lines(records))
        self.assertEqual(self.lists.facts("debian-12")["debian"]["read"], 20)

    def test_one_name(self) -> None:
        """Records with one name and different notes are all kept, and so are several lists of followed packages."""
        names = [f"p{number:05}" for number in range(4001)]
        records = [*followed_records("debian-12", names, "debian")]
        records += [Vulnerability("CVE-2024-0001", "debian-12", note=note) for note in (None, "LDP")]
        self.put(records)
        told = [from_wire(json.loads(line)) for line in self.told()]
        self.assertEqual([each.name for each in told], [FOLLOWED] * 3 + ["CVE-2024-0001"] * 2)
        self.assertEqual({each.note for each in told}, {None, "LDP"})
        self.assertEqual([name for each in told for name in each.followed], names)

    def test_last_wins(self) -> None:
        """The later one of two records with the same name and platform holds."""
        import_id = self.lists.begin("debian", "all")
        self.lists.add(import_id, [vulnerability(1, href="a"), vulnerability(1, href="b")])
        self.lists.add(import_id, [vulnerability(1, href="c"), vulnerability(1, "debian-13")])
        self.lists.commit(import_id, READ)
        self.assertEqual(self.told(), [encode_line(vulnerability(1, href="c"))])

    def test_whole_or_not(self) -> None:
        """A list replaces the last one only when it is complete; a discarded list never does."""
        self.put(vulnerabilities(5))
        import_id = self.lists.begin("debian", "all")
        self.lists.add(import_id, vulnerabilities(9))
        self.assertEqual(len(self.told()), 5)
        self.lists.discard(import_id)
        self.assertEqual(len(self.told()), 5)
        self.put(vulnerabilities(7))
        self.assertEqual(len(self.told()), 7)

    def commit_changes(self, records: list[Vulnerability], read: ImportResult = READ) -> set[str]:
        """Stage the changes to a list."""
        import_id = self.lists.begin("debian", "all")
        self.lists.add(import_id, records)
        return self.lists.commit_changes(import_id, read)

    def test_laid_over(self) -> None:
        """Changed records replace those of the same name; all others are kept and counted."""
        self.put(vulnerabilities(5), read=ImportResult("s", None, {"withdrawn": 2}, 7.0))
        self.put(vulnerabilities(2), source="osv")
        changed = [vulnerability(3, href="new"), vulnerability(9)]
        self.assertEqual(self.commit_changes(changed, ImportResult("t", None, {"withdrawn": 1}, 9.0)), {"debian-12"})
        expected = [vulnerability(3, href="new") if number == 3 else vulnerability(number) for number in (*range(5), 9)]
        self.assertEqual(self.told(), lines(expected))
        self.assertEqual(self.told(source="osv"), lines(vulnerabilities(2)))
        self.assertEqual(self.lists.facts("debian-12")["debian"], {"read": 6, "skipped": {"withdrawn": 1}})
        self.assertEqual(
            self.lists.known("debian", "all"), (ImportResult("t", None, {"withdrawn": 1}, 9.0), {"debian-12"})
        )
        readings = self.lists._database.execute("SELECT count(*) FROM readings").fetchone()
        self.assertEqual(readings, (2,))

    def test_nothing_laid_over(self) -> None:
        """An update without changes keeps the list, but replaces its state."""
        self.put(vulnerabilities(5))
        self.assertEqual(self.commit_changes([], ImportResult("t", None, {}, 9.0)), {"debian-12"})
        self.assertEqual((len(self.told()), self.lists.known("debian", "all")[0].state), (5, "t"))  # type: ignore[index]

    def test_laid_over_later(self) -> None:
        """Changes are not visible before they are committed, or if they are discarded; they need an earlier list."""
        with self.assertRaises(ValueError):
            self.commit_changes(vulnerabilities(1))
        self.put(vulnerabilities(5))
        import_id = self.lists.begin("debian", "all")
        self.lists.add(import_id, [vulnerability(1, href="new"), vulnerability(9)])
        self.assertEqual(self.told(), lines(vulnerabilities(5)))
        self.lists.discard(import_id)
        self.assertEqual(self.told(), lines(vulnerabilities(5)))

    def test_failed_in_the_middle(self) -> None:
        """A write that fails in the middle stores nothing, and does not block later ones."""

        def failing() -> Iterator[Vulnerability]:
            yield vulnerability(1)
            raise ZeroDivisionError

        import_id = self.lists.begin("debian", "all")
        with self.assertRaises(ZeroDivisionError):
            self.lists.add(import_id, failing())
        self.lists.commit(import_id, READ)
        self.assertEqual(self.told(), [])
        self.put(vulnerabilities(2))
        self.assertEqual(len(self.told()), 2)

    def test_touched(self) -> None:
        """A commit returns the platforms of the new list and of the last one."""
        self.assertEqual(self.put(vulnerabilities(2)), {"debian-12"})
        self.assertEqual(self.put(vulnerabilities(2, "debian-13")), {"debian-12", "debian-13"})
        self.assertEqual(self.lists.facts("debian-12"), {})

    def test_facts(self) -> None:
        """The numbers of read, skipped and claimed records are kept, and so is the state."""
        self.put(vulnerabilities(3), read=ImportResult("s", 5, {"withdrawn": 2}, 7.0))
        self.put(vulnerabilities(4), source="osv", read=ImportResult(None, None, {}, 8.0))
        debian = {"read": 3, "skipped": {"withdrawn": 2}, "claimed": 5}
        self.assertEqual(self.lists.facts("debian-12"), {"debian": debian, "osv": {"read": 4, "skipped": {}}})
        self.assertEqual(
            self.lists.known("debian", "all"), (ImportResult("s", 5, {"withdrawn": 2}, 7.0), {"debian-12"})
        )
        self.assertIsNone(self.lists.known("debian", "other"))

    def test_followed(self) -> None:
        """The lists of followed packages are not counted as read."""
        self.put([*followed_records("debian-12", ["curl"], "debian"), *vulnerabilities(3)])
        self.assertEqual(self.lists.facts("debian-12")["debian"]["read"], 3)
        self.assertEqual(self.put([*followed_records("debian-12", ["curl"], "debian")]), {"debian-12"})

    def test_forget(self) -> None:
        """Lists that a source no longer has are removed; those of other sources are kept."""
        self.put(vulnerabilities(3), key="a")
        self.put(vulnerabilities(3, "debian-13"), key="b")
        self.put(vulnerabilities(3), source="osv", key="a")
        self.assertEqual(self.lists.forget_others("debian", {"b"}), {"debian-12"})
        self.assertEqual((self.told(), len(self.told(source="osv"))), ([], 3))

    def test_reopened(self) -> None:
        """Committed lists are found again when the file is reopened; uncommitted ones are not."""
        self.put(vulnerabilities(3))
        import_id = self.lists.begin("debian", "all")
        self.lists.add(import_id, vulnerabilities(9))
        self.lists.close()
        self.lists = StagingStore(self.path)
        self.assertEqual(len(self.told()), 3)
        count = self.lists._database.execute("SELECT count(*) FROM lines").fetchone()
        self.assertEqual(count, (3,))

    def test_damaged(self) -> None:
        """A file that is damaged, or of another program, is replaced by an empty one."""
        self.put(vulnerabilities(300))
        self.lists.close()
        whole = self.path.read_bytes()
        for find_damage in (b"nonsense" * 1000, whole[: len(whole) // 2], whole[:100] + b"\0" * 5000 + whole[5100:]):
            self.path.write_bytes(find_damage)
            self.lists = StagingStore(self.path)
            self.assertEqual(self.told(), [])
            self.put(vulnerabilities(1))
            self.lists.close()
        self.lists = StagingStore(self.path)

    @given(st.lists(st.lists(st.integers(0, 30), max_size=20), max_size=4))
    @settings(deadline=None, max_examples=30)
    def test_law(self, batches: list[list[int]]) -> None:
        """In whatever batches a list is added, it is read in order, with each name once."""
        import_id = self.lists.begin("debian", "law")
        for batch in batches:
            self.lists.add(import_id, map(vulnerability, batch))
        self.lists.commit(import_id, READ)
        expected = sorted({number for batch in batches for number in batch})
        self.assertEqual(self.told(), lines(map(vulnerability, expected)))
