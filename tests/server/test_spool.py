"""Tests for :mod:`patches.server.spool`."""

from __future__ import annotations

import random
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.server.spool import Spool
from patches.wire import encode_line
from tests.server.made_up import lines, vulnerabilities, vulnerability


class SpoolTests(SynchronousTestCase):
    """A list on its way into the catalogue."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        self.spool = Spool(self.path)
        self.addCleanup(self.spool.close)

    def test_empty(self) -> None:
        """At first there is nothing."""
        self.assertEqual((len(self.spool), list(self.spool.lines())), (0, []))

    def test_order(self) -> None:
        """The lines come ordered by name, in whatever order they were added."""
        records = vulnerabilities(300)
        shuffled = random.Random(1).sample(records, 300)
        self.spool.add(shuffled[:100])
        self.spool.add(shuffled[100:])
        self.assertEqual(list(self.spool.lines()), lines(records))

    def test_last_wins(self) -> None:
        """Of two with the same name the later one holds, within one addition or over two."""
        self.spool.add([vulnerability(1, href="a"), vulnerability(1, href="b")])
        self.assertEqual(list(self.spool.lines()), [encode_line(vulnerability(1, href="b"))])
        self.spool.add([vulnerability(1, href="c")])
        self.assertEqual(list(self.spool.lines()), [encode_line(vulnerability(1, href="c"))])
        self.assertEqual(len(self.spool), 1)

    def test_clear(self) -> None:
        """What was read in vain is forgotten."""
        self.spool.add(vulnerabilities(5))
        self.spool.clear()
        self.assertEqual((len(self.spool), list(self.spool.lines())), (0, []))

    def test_close(self) -> None:
        """Nothing is left on disk at the end."""
        self.spool.add(vulnerabilities(5))
        self.assertTrue(self.path.exists())
        self.spool.close()
        self.assertEqual(list(self.path.parent.glob(self.path.name + "*")), [])

    def test_left_over(self) -> None:
        """What an earlier run left is thrown away, whatever it is."""
        self.spool.close()
        self.path.write_bytes(b"no database" * 1000)
        self.spool = Spool(self.path)
        self.spool.add(vulnerabilities(2))
        self.assertEqual(len(self.spool), 2)

    @settings(deadline=None, max_examples=30)
    @given(st.lists(st.tuples(st.integers(0, 20), st.text(max_size=3)), max_size=30))
    def test_like_a_dict(self, added: list[tuple[int, str]]) -> None:
        """It is an ordered dictionary by name."""
        self.spool.clear()
        for number, href in added:
            self.spool.add([vulnerability(number, href=href)])
        expected = [encode_line(vulnerability(number, href=href)) for number, href in sorted(dict(added).items())]
        self.assertEqual(list(self.spool.lines()), expected)
