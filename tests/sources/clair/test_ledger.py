"""Tests for :mod:`patches.sources.clair.ledger`."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.sources.clair.ledger import Ledger, Ledgers, new_state

LEDGER = Ledger("s1", 1_000.5, {"CVE-2": "0123456789abcdef", "CVE-1 é": ""}, {"CVE-1 é": Counter({"gone": 1})})


class LedgerTests(SynchronousTestCase):
    """Ledgers on disk and in memory."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()) / "clair" / "name"

    def test_kept(self) -> None:
        """A ledger is read as it was written, in its order, also by another run of the program."""
        in_memory = Ledgers(None, "http://clair")
        for make in (lambda: Ledgers(self.folder, "http://clair"), lambda: in_memory):
            self.assertIsNone(make().load("debian-9"))
            make().keep("debian-9", LEDGER)
            found = make().load("debian-9")
            self.assertEqual(found, LEDGER)
            self.assertEqual(list(found.rows if found else ()), list(LEDGER.rows))
            make().keep("debian-9", None)
            self.assertIsNone(make().load("debian-9"))
            make().keep("debian-9", None)

    def test_another_clair(self) -> None:
        """The ledger of another Clair is not used: its rows are others."""
        Ledgers(self.folder, "http://clair").keep("debian-9", LEDGER)
        self.assertIsNone(Ledgers(self.folder, "http://other").load("debian-9"))

    def test_damaged(self) -> None:
        """A file that is damaged, or of another version, is no ledger."""
        ledgers = Ledgers(self.folder, "http://clair")
        ledgers.keep("debian-9", LEDGER)
        path = self.folder / "debian-9.json"
        whole = path.read_bytes()
        document = json.loads(whole)
        others = [document | {"version": 0}, document | {"rows": [1]}, document | {"left_out": []}, [], None, {}]
        for content in (b"", whole[:-5], b"\xff", *(json.dumps(each).encode() for each in others)):
            path.write_bytes(content)
            self.assertIsNone(ledgers.load("debian-9"), content)

    def test_unwritable(self) -> None:
        """A ledger that cannot be written is lost, which is no error."""
        self.folder.parent.mkdir(parents=True)
        self.folder.write_text("not a folder")
        ledgers = Ledgers(self.folder, "http://clair")
        ledgers.keep("debian-9", LEDGER)
        ledgers.keep("debian-9", None)
        self.assertIsNone(ledgers.load("debian-9"))


class StateTests(SynchronousTestCase):
    """States of lists."""

    def test_states(self) -> None:
        """No state occurs twice."""
        self.assertNotEqual(new_state(), new_state())
