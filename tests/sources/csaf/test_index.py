"""Tests for :mod:`patches.sources.csaf.index`."""

from __future__ import annotations

from datetime import UTC, datetime

from twisted.trial.unittest import SynchronousTestCase

from patches.errors import SourceError
from patches.sources.csaf.index import parse_archive_name, parse_times


class IndexTests(SynchronousTestCase):
    """The files beside an archive."""

    def test_name(self) -> None:
        """The name of an archive contains its day; any other text, a path too, is refused."""
        day = datetime(2026, 11, 20, tzinfo=UTC)
        for text in ("csaf_vex_2026-11-20.tar.zst", "csaf_vex_2026-11-20.tar.zst\n", "2026-11-20.tar"):
            self.assertEqual(parse_archive_name([text]), (text.strip(), day))
        for text in ("", "../2026-11-20.tar", "a/2026-11-20.tar", "x_2026-13-20.tar", "x_2026-11-20.zip", "<html>"):
            self.assertRaises(SourceError, parse_archive_name, [text])

    def test_times(self) -> None:
        """Of several times of a document the last one is used, in any order and zone."""
        found = parse_times(
            (
                '"2024/cve-2024-0001.json","2026-11-20T10:00:00+00:00"\n'
                '"2024/cve-2024-0001.json","2026-11-20T09:00:00+00:00"\n'
                '"2023/cve-2023-0001.json","2026-11-20T10:00:00+02:00"\n'
            ).splitlines()
        )
        expected = {"2024/cve-2024-0001.json": 10, "2023/cve-2023-0001.json": 8}
        self.assertEqual({name: time.astimezone(UTC).hour for name, time in found.items()}, expected)
        self.assertEqual(parse_times([]), {})

    def test_refused(self) -> None:
        """A line that is not a path and a time is an error, with the number of documents before it."""
        good = '"2024/cve-2024-0001.json","2026-11-20T10:00:00+00:00"\n'
        for line in ('"../../etc/passwd","2026-11-20T10:00:00+00:00"', '"2024/a.json","soon"', '"2024/a.json"'):
            message = str(self.assertRaises(SourceError, parse_times, [good, line + "\n"]))
            self.assertIn("after 1 documents", message)
