"""Tests for :mod:`patches.scanner.lists.kept`."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.client.cache import CachedList, ListCache
from patches.scanner.client.verified_stream import NotVerified
from patches.scanner.lists.kept import (
    DAMAGED,
    FRESH,
    STALE,
    KeptFacts,
    age_text,
    kept_lists,
    record_lines,
    size_text,
    status_document,
    status_table,
    verify_list,
)
from patches.vulnerability import FixedPackage, Vulnerability
from patches.wire import StreamDigest, digest, encode_line, rfc3339

NOW = 1_700_000_000.0
RECORDS = (
    Vulnerability("CVE-2024-1111", "debian-12", (FixedPackage("sudo", "2"),), aliases=("DSA-1-1",)),
    Vulnerability("CVE-2024-11111", "debian-12", (FixedPackage("sudo-ldap", "2"), FixedPackage("bash", "3"))),
)


def keep(folder: Path, platform: str = "debian-12", checked: object = NOW - 7200) -> CachedList:
    """Keep a list of two records."""
    cache, body, whole = ListCache(folder, platform), b"".join(map(encode_line, RECORDS)), StreamDigest()
    whole.add(digest(body))
    cache.origin = "http://lists.example"
    writer = cache.keep()
    assert writer is not None
    writer.add(body)
    time = {"checked": rfc3339(checked) if isinstance(checked, float) else checked}
    facts = {"revision": "abcdef0123456789", "publication": 7, "vulnerabilities": 2, "chunks": 1, "bytes": len(body)}
    writer.commit({**facts, **time, "digest": whole.hexdigest(), "enrichments": ["cvss", "kev"]})
    cached = cache.cached()
    assert cached is not None
    return cached


class KeptTests(SynchronousTestCase):
    """A folder with lists."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())

    def facts(self, checked: object = NOW - 7200) -> KeptFacts:
        """Return the facts of a list that was checked at a time."""
        return KeptFacts.of("debian-12", keep(self.folder, checked=checked), timedelta(days=7), NOW)

    def test_facts(self) -> None:
        """The facts are those of the description, with the age and the place that it is from."""
        facts = self.facts()
        self.assertEqual((facts.origin, facts.age, facts.state), ("http://lists.example", 7200.0, FRESH))
        self.assertEqual((facts.records, facts.publication, facts.enrichments), (2, 7, ("cvss", "kev")))
        self.assertEqual(facts.bytes, next(self.folder.glob("*.chunks")).stat().st_size)

    def test_states(self) -> None:
        """A list is stale if it is too old, from the future, or of no known time; without its file it is damaged."""
        for checked in (NOW - 8 * 86400, NOW + 2 * 86400, "soon", None, 5):
            self.assertEqual(self.facts(checked).state, STALE, checked)
        cached = keep(self.folder)
        cached.path.unlink()
        self.assertEqual(KeptFacts.of("debian-12", cached, timedelta(days=7), NOW).state, DAMAGED)

    def test_folder(self) -> None:
        """Each list in a folder is found; other files, and descriptions that cannot be read, are passed over."""
        for platform in ("debian-12", "alpine-3.20"):
            keep(self.folder, platform)
        for name in ("notes.json", "ubuntu-24.04.json", "Debian-12.json"):
            (self.folder / name).write_text("{}")
        self.assertEqual([platform for platform, _ in kept_lists(self.folder)], ["alpine-3.20", "debian-12"])
        self.assertEqual(list(kept_lists(self.folder / "absent")), [])

    def test_shown(self) -> None:
        """The table is for people, the document for programs."""
        facts = self.facts()
        _, (row, _) = status_table([facts]).lines()
        self.assertEqual(row.split()[:6], ["debian-12", "fresh", "2", "h", "http://lists.example", "abcdef012345"], row)
        document = status_document([facts])["lists"][0]
        self.assertEqual((document["age"], document["revision"]), (7200, "abcdef0123456789"))

    def test_numbers(self) -> None:
        """Ages and sizes have the largest unit."""
        self.assertEqual([age_text(each) for each in (5.0, 600.0, 7200.0, 200_000.0)], ["5 s", "10 min", "2 h", "2 d"])
        self.assertEqual([size_text(each) for each in (512, 3 << 20)], ["0.5 KiB", "3.0 MiB"])

    def test_records(self) -> None:
        """Records are chosen by an id, an alias or a package, always by the whole name."""
        cached, (first, second) = keep(self.folder), map(encode_line, RECORDS)
        for names, expected in (
            ((), [first, second]),
            (("CVE-2024-1111",), [first]),
            (("cve-2024-1111",), [first]),
            (("DSA-1-1",), [first]),
            (("sudo",), [first]),
            (("bash", "sudo"), [first, second]),
            (("absent",), []),
        ):
            self.assertEqual(list(record_lines(cached, names)), expected, names)

    def test_damage(self) -> None:
        """A list that was changed is found out; one that is whole is not."""
        cached = keep(self.folder)
        verify_list(cached)
        content = bytearray(cached.path.read_bytes())
        content[20] ^= 1
        cached.path.write_bytes(content)
        self.assertRaises(NotVerified, verify_list, cached)
