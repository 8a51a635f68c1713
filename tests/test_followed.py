"""Tests for :mod:`patches.followed`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.followed import followed_records
from patches.server.catalogue.chunks import cut_chunks
from patches.vulnerability import FOLLOWED
from patches.wire import encode_line


class RecordTests(SynchronousTestCase):
    """Lists of followed packages."""

    def test_sorted(self) -> None:
        """The names are sorted, each once; without names there is no record."""
        (record,) = followed_records("debian-12", ["curl", "bash", "curl"], "debian")
        self.assertEqual((record.name, record.platform, record.source), (FOLLOWED, "debian-12", "debian"))
        self.assertEqual((record.followed, record.fixed_in), (("bash", "curl"), ()))
        self.assertEqual(list(followed_records("debian-12", [], "debian")), [])

    def test_several(self) -> None:
        """Long lists are several records of one name, which chunks can hold, and no name is lost."""
        for names in ([f"package-{number:05}" for number in range(5000)], [f"{number:0256}" for number in range(500)]):
            records = list(followed_records("debian-12", names, "debian"))
            self.assertGreater(len(records), 2)
            self.assertEqual([name for record in records for name in record.followed], names)
            chunks = list(cut_chunks(encode_line(record) for record in records))
            self.assertEqual(sum(chunk.vulnerabilities for chunk in chunks), len(records))
