"""Tests for :mod:`patches.sources.nvd.lists`."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.errors import SourceError
from patches.sources.nvd.lists import meta_checksum, parse_list
from patches.sources.parse_job import FeedPart, ParseJob
from tests.sources.nvd.test_parser import ANALYSTS, HIGH, cve, document, metric

TEXT = document(cve(v31=[metric(ANALYSTS, HIGH, 7.8, "Primary")]))


def meta(text: bytes) -> bytes:
    """Return the file beside a feed, in NVD's form."""
    lines = f"lastModifiedDate:2026-11-25T03:00:00-04:00\r\nsize:{len(text)}\r\nzipSize:1\r\ngzSize:2\r\n"
    return f"{lines}sha256:{hashlib.sha256(text).hexdigest().upper()}\r\n".encode()


class ListTests(SynchronousTestCase):
    """The file of a year, and its checksum."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.paths = (self.folder / "a", self.folder / "b")
        self.paths[0].write_bytes(gzip.compress(TEXT))

    def names(self, *paths: Path) -> list[str]:
        """Return the names in a list."""
        job = ParseJob("nvd", "nvd", FeedPart("nvdcve-2.0-2024", ()), paths, self.folder / "scratch")
        return [each.name for each in parse_list(job, job.context())]

    def test_verified(self) -> None:
        """A file with the checksum of its ``.meta`` is read, as is one without a ``.meta``."""
        self.paths[1].write_bytes(meta(TEXT))
        self.assertEqual((self.names(*self.paths), self.names(self.paths[0])), (["CVE-2024-0001"], ["CVE-2024-0001"]))

    def test_other_text(self) -> None:
        """A file that is not as published is refused at its end."""
        self.paths[1].write_bytes(meta(TEXT + b" "))
        error = self.assertRaises(SourceError, self.names, *self.paths)
        self.assertEqual(str(error), "nvdcve-2.0-2024: does not have the checksum of its .meta file")

    def test_no_checksum(self) -> None:
        """A ``.meta`` without a checksum is refused, as is one that is missing."""
        self.paths[1].write_bytes(b"<html>sha256:12</html>")
        self.assertRaises(SourceError, self.names, *self.paths)
        self.assertRaises(SourceError, meta_checksum, self.folder / "missing")
