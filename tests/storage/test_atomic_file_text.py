"""What text a file can hold that is written whole or not at all."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.storage.atomic_file import WholeFile


class TextTests(SynchronousTestCase):
    """Text that is no text."""

    def test_surrogates(self) -> None:
        """A name of a file that is not UTF-8 is written as the bytes that it was."""
        path = Path(self.mktemp())
        with WholeFile.at(path) as file:
            file.put("é\udcff\n")
        self.assertEqual(path.read_bytes(), b"\xc3\xa9\xff\n")
