"""Destinations of documents: a file is replaced, and a device, a pipe and standard output are written."""

from __future__ import annotations

import os
from contextlib import ExitStack, redirect_stdout
from io import StringIO
from pathlib import Path
from threading import Thread

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.output.destinations import StandardOutput, Stream, open_destination
from patches.storage.atomic_file import Unwritable, WholeFile


class DestinationTests(SynchronousTestCase):
    """Places of every kind."""

    def test_standard_output(self) -> None:
        """The names of standard output are never opened: a file behind it would be replaced."""
        with ExitStack() as stack:
            for name in ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"):
                destination = open_destination(name, stack)
                self.assertIsInstance(destination, StandardOutput)
            with redirect_stdout(StringIO()) as output:
                destination.put(["a", "b"])
        self.assertEqual(output.getvalue(), "ab")

    def test_file(self) -> None:
        """A file is replaced when the document is whole."""
        path = Path(self.mktemp())
        path.write_text("earlier")
        with ExitStack() as stack:
            destination = open_destination(str(path), stack)
            self.assertIsInstance(destination, WholeFile)
            self.assertEqual(path.read_text(), "earlier")
            destination.put(["whole"])
        self.assertEqual(path.read_text(), "whole")

    def test_device(self) -> None:
        """A device is written, and stays what it is."""
        with ExitStack() as stack:
            destination = open_destination("/dev/null", stack)
            self.assertIsInstance(destination, Stream)
            destination.put(["nothing is kept"])
        self.assertTrue(Path("/dev/null").is_char_device())

    def test_pipe(self) -> None:
        """A named pipe is written."""
        path, read = self.mktemp(), []
        os.mkfifo(path)
        reader = Thread(target=lambda: read.append(Path(path).read_text()))
        reader.start()
        with ExitStack() as stack:
            open_destination(path, stack).put(["a document"])
        reader.join()
        self.assertEqual(read, ["a document"])

    def test_refused(self) -> None:
        """A folder, and a file in a folder that is missing, are refused at once."""
        folder = Path(self.mktemp())
        folder.mkdir()
        with ExitStack() as stack:
            self.assertRaisesRegex(Unwritable, "not a regular file", open_destination, str(folder), stack)
            self.assertRaisesRegex(Unwritable, "no such folder", open_destination, str(folder / "a/b"), stack)
