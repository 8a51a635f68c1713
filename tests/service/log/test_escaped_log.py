"""Tests for :mod:`patches.service.log.escaped_log`."""

from __future__ import annotations

import io
from typing import Any

from hypothesis import given
from twisted.logger import (
    ILogObserver,
    LegacyLogObserverWrapper,
    Logger,
    LogPublisher,
    globalLogPublisher,
    textFileLogObserver,
)
from twisted.python import log as legacy
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from patches.service.log.escaped_log import escape_event, escape_logs
from tests.control_characters import HARMFUL, harmful_texts


class EscapedLogTests(SynchronousTestCase):
    """Events as observers write them."""

    def setUp(self) -> None:
        self.file = io.StringIO()
        self.publisher = LogPublisher(escape_event, textFileLogObserver(self.file))
        self.log = Logger("patches.some.module", observer=self.publisher)

    def written(self) -> str:
        """Return what was written, without the time."""
        text = self.file.getvalue()
        self.file.seek(0)
        self.file.truncate()
        return text.partition(" ")[2]

    def test_interface(self) -> None:
        """The function is an observer, which is added once."""
        verifyObject(ILogObserver, escape_event)
        self.addCleanup(globalLogPublisher.removeObserver, escape_event)
        escape_logs()
        escape_logs()
        self.assertEqual([each for each in globalLogPublisher._observers if each is escape_event], [escape_event])

    @given(harmful_texts)
    def test_every_value(self, text: str) -> None:
        """A message with any text is one line that can be shown, and no other event is changed."""
        self.log.info("Reading {name}: {error!r} {error}", name=text, error=ValueError(text))
        (line,) = self.written().splitlines()
        self.assertTrue(line.isprintable(), line)

    def test_visible(self) -> None:
        """The escapes are visible; a usual message is written as it is."""
        self.log.warn("Retrying {url}", url="http://x\x1b[2J")
        self.assertEqual(self.written(), "[patches.some.module#warn] Retrying http://x\\x1b[2J\n")
        self.log.warn("Retrying {url}", url="http://x")
        self.assertEqual(self.written(), "[patches.some.module#warn] Retrying http://x\n")

    def test_traceback(self) -> None:
        """A traceback is still one, with escapes in the messages of its errors."""
        try:
            raise ValueError("odd\x1b[2J")
        except ValueError:
            self.log.failure("It failed: {what}", failure=Failure(), what="\x1b[1m")
        text = self.written()
        self.assertIn("It failed: \\x1b[1m\n\tTraceback (most recent call last):", text)
        self.assertIn("builtins.ValueError: odd\\x1b[2J", text)
        self.assertTrue(text.replace("\n", "").replace("\t", "").isprintable())

    def test_others(self) -> None:
        """The lines of messages of Twisted stay lines."""
        Logger("twisted.web", observer=self.publisher).error("first\nsecond {odd}", odd="\x1b")
        self.assertEqual(self.written(), "[twisted.web#error] first\n\tsecond \\x1b\n")

    def test_older_observers(self) -> None:
        """An observer of the older form, as that of syslog, receives the escaped text too."""
        seen: list[dict[str, Any]] = []
        self.publisher.addObserver(LegacyLogObserverWrapper(seen.append))
        for text in HARMFUL:
            self.log.info("{text}", text=text)
        self.publisher({"log_format": "{log_text}", "log_text": "\x1b", "message": ("\x1b",), "time": 1.0,
                        "log_time": 1.0, "isError": 0, "log_namespace": "log_legacy", "log_level": None})  # fmt: skip
        said = [str(legacy.textFromEventDict(event)) for event in seen]
        self.assertEqual([text for text in said if not text.isprintable()], [])
