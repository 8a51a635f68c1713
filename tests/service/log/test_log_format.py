"""Tests for :mod:`patches.service.log.log_format`."""

from __future__ import annotations

import io
import json
import os
import tempfile
from typing import IO, Any

from twisted.logger import Logger, LogPublisher, textFileLogObserver
from twisted.trial.unittest import SynchronousTestCase

from patches.service.log.log_format import AUTO, JOURNAL, JSON, LOG_FORMS, TEXT, is_journal, use_format
from patches.service.log.log_level import LogSettings
from patches.settings import BadSetting, resolve


class FormatTests(SynchronousTestCase):
    """The lines that a log writes to its file."""

    def lines(self, form: str, file: IO[Any] | None = None) -> list[str]:
        """Log two messages and a failure. Return the lines."""
        out = file or io.StringIO()
        observer = textFileLogObserver(out)
        use_format(observer, form)
        publisher = LogPublisher(observer)
        log = Logger("patches.test", observer=publisher)
        log.info("Read {number} lists", number=3)
        log.warn("two\nlines")
        try:
            raise ValueError("a bug")
        except ValueError:
            log.failure("It failed")
        publisher({"log_format": "", "log_time": 0.0})
        out.seek(0)
        return [str(line) for line in out.read().splitlines()]

    def test_text(self) -> None:
        """As text, a message has its time and where it is from."""
        for form in (TEXT, AUTO):
            lines = self.lines(form)
            self.assertTrue(lines[0].endswith("+0000 [patches.test#info] Read 3 lists"), lines[0])

    def test_journal(self) -> None:
        """For the journal, each line has a priority, those of a traceback too, and no time."""
        lines = self.lines(JOURNAL)
        self.assertEqual(lines[:4], ["<6>Read 3 lists", "<4>two", "<4>lines", "<2>It failed"])
        self.assertIn("<2>builtins.ValueError: a bug", lines)
        self.assertTrue(all(line.startswith("<2>") for line in lines[3:]))

    def test_json(self) -> None:
        """As JSON, an event is one object in one line."""
        first, second, third = map(json.loads, self.lines(JSON))
        self.assertEqual(sorted(first), ["level", "logger", "message", "time"])
        self.assertEqual((first["level"], first["logger"], first["message"]), ("info", "patches.test", "Read 3 lists"))
        self.assertRegex(first["time"], r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z")
        self.assertEqual((second["level"], second["message"]), ("warn", "two\nlines"))
        self.assertEqual((third["level"], third["message"]), ("critical", "It failed"))
        self.assertIn("ValueError: a bug", third["traceback"])

    def test_auto(self) -> None:
        """The journal's format is used if the journal reads the file, and no other one."""
        with tempfile.TemporaryFile("w+") as read, tempfile.TemporaryFile("w+") as other:
            found = os.fstat(read.fileno())
            self.patch(os, "environ", {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"})
            self.assertEqual([is_journal(each) for each in (read, other, io.StringIO(), None)], [True, *[False] * 3])
            self.assertEqual(self.lines(AUTO, read)[0], "<6>Read 3 lists")
            self.assertIn("[patches.test#info]", self.lines(AUTO, other)[0])

    def test_other_observers(self) -> None:
        """An observer that writes to no file has its own format."""
        use_format(lambda event: None, JSON)

    def test_setting(self) -> None:
        """The format is an option with known names."""
        self.assertEqual([resolve(LogSettings, {"log-format": form}).log_format for form in LOG_FORMS], list(LOG_FORMS))
        self.assertRaises(BadSetting, resolve, LogSettings, {"log-format": "xml"})
