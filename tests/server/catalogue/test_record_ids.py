"""Tests for :mod:`patches.server.catalogue.record_ids`."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.server.catalogue.record_ids import LONGEST_ID, ids_in, stored_id
from patches.vulnerability import FOLLOWED, FixedPackage, Vulnerability
from patches.wire import MalformedWire, encode_line

#: Texts with what could be mistaken for the end of a string, of a list, or for a member.
TEXTS = st.one_of(
    st.text(),
    st.sampled_from(
        ['"aliases":["x"]', "a]", '","', '"aliases"', "\\", '\\"', '{"name":"', "\n", "", "aliases", "[", "\ud800"]
    ),
)
RECORDS = st.builds(
    Vulnerability,
    TEXTS,
    st.just("debian-12"),
    st.lists(st.builds(FixedPackage, TEXTS, TEXTS), max_size=2).map(tuple),
    aliases=st.lists(TEXTS, max_size=3).map(tuple),
    note=st.none() | TEXTS,
)


class IdTests(SynchronousTestCase):
    """The ids of records."""

    @given(st.lists(RECORDS, max_size=4))
    @example([Vulnerability("a", "debian-12", aliases=("]", "b"))])
    @example([Vulnerability("a", "debian-12", aliases=('"aliases":["x"]',))])
    def test_every_id(self, records: list[Vulnerability]) -> None:
        """Whatever is in the records, their ids are the names and the aliases."""
        expected = {each for record in records for each in (record.name, *record.aliases)} - {FOLLOWED}
        self.assertEqual(ids_in(b"".join(map(encode_line, records))), expected)

    def test_foreign_lines(self) -> None:
        """Lines that another program wrote are read too: members in another order, spaces, no aliases, no name."""
        for line, ids in (
            (b'{"aliases": ["DSA-1"], "name": "CVE-1"}', {"CVE-1", "DSA-1"}),
            (b'{"name":"CVE-1","aliases": ["DSA-1"]}', {"CVE-1", "DSA-1"}),
            (b'{"name":"CVE-1"}', {"CVE-1"}),
            (b'{"name":"CVE-1","aliases":null}', {"CVE-1"}),
            (b'{"n\\u0061me":"CVE-1","aliases":[]}', {"CVE-1"}),
            (b'{"name":7,"aliases":[8,"DSA-1"]}', {"DSA-1"}),
            (b"{}", set()),
            (b'{"change":"withdrawn","name":"CVE-2"}', {"CVE-2"}),
        ):
            self.assertEqual(ids_in(line + b"\n"), ids, line)

    def test_damaged(self) -> None:
        """A line that is no object is an error."""
        for line in (b"[]", b'"CVE-1"', b'{"name":"CVE-1"', b"\xff", b'{"name":"a","aliases":7}'):
            self.assertRaises(MalformedWire, ids_in, line + b"\n")


class StoredTests(SynchronousTestCase):
    """Ids as they are stored."""

    def test_usual(self) -> None:
        """An id of a usual form is stored as it is, in its case."""
        for text in ("CVE-2024-0001", "RHSA-2015:1193", "xsa 182", "a" * LONGEST_ID):
            self.assertEqual(stored_id(text), text)

    @given(st.text(alphabet=st.characters(codec=None)))
    @example("a" * (LONGEST_ID + 1))
    @example("CVE\x00")
    @example("\ud800")
    def test_bounded(self, text: str) -> None:
        """The stored text is short and printable, whatever the id is."""
        stored = stored_id(text)
        self.assertLessEqual(len(stored), LONGEST_ID)
        self.assertTrue(stored.isprintable())
        self.assertEqual(stored_id(text), stored)

    def test_distinct(self) -> None:
        """Two long ids are not mistaken for each other."""
        self.assertNotEqual(stored_id("a" * 200), stored_id("a" * 201))
