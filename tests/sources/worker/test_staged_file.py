"""Tests for :mod:`patches.sources.worker.staged_file`: what a worker hands over, and what the server refuses."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from patches.errors import SourceError
from patches.sources.parse_context import ParseContext
from patches.sources.worker.staged_file import MOST_REASONS, MOST_RECORD_BYTES, read_staged, write_staged
from patches.vulnerability import Vulnerability
from tests.server.fake_catalogue import vulnerabilities


class StagedFileTests(SynchronousTestCase):
    """A file with five records."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        context = ParseContext("own", found=7, claimed=9)
        context.skip("withdrawn", 2)
        write_staged(self.path, vulnerabilities(5), context)

    def refused(self, change: Callable[[bytes], bytes], wanted: frozenset[str] | None = None) -> str:
        """Change the file. Return the error with which it is refused, after which it is gone."""
        self.path.write_bytes(change(self.path.read_bytes()))
        with self.assertRaises(SourceError) as caught:
            list(read_staged(self.path, ParseContext("own", wanted)))
        self.assertFalse(self.path.exists())
        return str(caught.exception)

    def test_round_trip(self) -> None:
        """The records and the counts are the same in the other process; the file is gone."""
        context = ParseContext("own")
        self.assertEqual(list(read_staged(self.path, context)), vulnerabilities(5))
        self.assertEqual((context.found, context.claimed, context.skipped), (7, 9, {"withdrawn": 2}))
        self.assertFalse(self.path.exists())

    def test_cut_off(self) -> None:
        """A file that ends anywhere before its end is refused."""
        content = self.path.read_bytes()
        for length in (0, 1, 100, content.index(b"\n") + 1, content.rindex(b'{"records"'), len(content) - 2):
            self.path.write_bytes(content[:length])
            self.refused(lambda content: content)

    def test_changed(self) -> None:
        """A record more, less, twice or changed is refused, and so is anything behind the end."""

        def without_first(content: bytes) -> bytes:
            return content.partition(b"\n")[2]

        for change in (
            without_first,
            lambda content: content.partition(b"\n")[0] + b"\n" + content,
            lambda content: content.replace(b"CVE", b"CVF", 1),
            lambda content: content + b" ",
        ):
            content = self.path.read_bytes()
            self.assertIn("does not have the records that it announces", self.refused(change))
            self.path.write_bytes(content)

    def test_other_lines(self) -> None:
        """A line that is too long is refused before it is parsed; one that is no record is refused by its kind."""
        cases = {
            b"{" * 100_000 + b"\n": "not JSON",
            b'{"name": 7}\n': "not a vulnerability",
            b"x" * MOST_RECORD_BYTES + b"\n": "a line that is too long",
        }
        content = self.path.read_bytes()
        for line, reason in cases.items():
            self.assertIn(reason, self.refused(lambda content, line=line: line + content))  # type: ignore[misc]
            self.path.write_bytes(content)

    def test_unwanted(self) -> None:
        """A record of a platform that is not wanted is refused."""
        self.assertIn("'debian-12', which is not wanted", self.refused(lambda content: content, frozenset({"wolfi"})))

    def test_counts(self) -> None:
        """Counts that are no counts are refused."""
        content = self.path.read_bytes()
        lines = content.splitlines(keepends=True)
        for change in (
            {"found": -1},
            {"found": "7"},
            {"claimed": True},
            {"skipped": {"x": 1.5}},
            {"skipped": {"x" * 400: 1}},
            {"skipped": {str(number): 1 for number in range(MOST_REASONS + 1)}},
            {"digest": 7},
            {"skipped": []},
        ):
            end = json.dumps(json.loads(lines[-1]) | change, separators=(",", ":")).encode()
            self.path.write_bytes(b"".join(lines[:-1]) + end + b"\n")
            self.assertIn("no valid end", self.refused(lambda content: content))

    def test_digest(self) -> None:
        """The digest is that of the lines of the records."""
        lines = self.path.read_bytes().splitlines(keepends=True)
        self.assertEqual(json.loads(lines[-1])["digest"], hashlib.sha256(b"".join(lines[:-1])).hexdigest())

    def test_large_record(self) -> None:
        """A record that is too large is an error, with its name, in the process that has it."""
        large = evolve(vulnerabilities(1)[0], details_href="x" * MOST_RECORD_BYTES)
        with self.assertRaisesRegex(SourceError, "the record 'CVE-.*' has more than 2 MiB"):
            write_staged(self.path, [large], ParseContext("own"))

    def test_no_folder(self) -> None:
        """A file that cannot be written, or is not there, is an error in one line."""
        with self.assertRaisesRegex(SourceError, "No such file or directory$"):
            write_staged(Path("absent/x"), [Vulnerability("a", "b")], ParseContext("own"))
        with self.assertRaisesRegex(SourceError, "No such file or directory$"):
            list(read_staged(Path("absent/x"), ParseContext("own")))
