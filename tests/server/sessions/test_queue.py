"""Tests for :mod:`patches.server.sessions.queue`."""

from __future__ import annotations

import time

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.server.sessions.queue import Queue
from patches.server.sessions.session import Session
from tests.server.fake_catalogue import snapshot

LIST = snapshot()


def session(ticket: int, owner: str = "") -> Session:
    """Create a session with a ticket."""
    return Session(str(ticket), LIST, owner, 0, 0.0, 0.0, ticket=ticket)


class QueueTests(SynchronousTestCase):
    """The order of a queue, and who gives way."""

    @settings(deadline=None)
    @given(st.lists(st.tuples(st.sampled_from("aaabbc"), st.booleans()), max_size=40), st.sampled_from("abcd"))
    def test_like_a_list(self, changes: list[tuple[str, bool]], newcomer: str) -> None:
        """Whatever is added and removed, positions and the one that gives way are those of a plain list."""
        queue, plain = Queue(), list[Session]()
        for ticket, (owner, leaves) in enumerate(changes):
            new = session(ticket, owner)
            queue.add(new)
            plain.append(new)
            if leaves:
                queue.remove(plain.pop(ticket % len(plain)))
        self.assertEqual(list(queue), plain)
        self.assertEqual([queue.position(each) for each in plain], list(range(len(plain))))
        places = {owner: sum(each.owner == owner for each in plain) for owner in "abcd"}
        gives_way = queue.displaced_by(newcomer, 2)
        if max(places.values()) > max(2, places[newcomer] + 1):
            assert gives_way is not None
            self.assertEqual(places[gives_way.owner], max(places.values()))
            self.assertEqual(gives_way, [each for each in plain if each.owner == gives_way.owner][-1])
        else:
            self.assertIsNone(gives_way)

    def test_earlier_ticket(self) -> None:
        """A session with an earlier ticket is before those with later ones, whenever it is added."""
        queue = Queue()
        first, second = session(1), session(2)
        queue.add(second)
        queue.add(first)
        self.assertEqual(list(queue), [first, second])

    def test_long(self) -> None:
        """A place in a queue of 8,000 is found and given up as quickly as in a short one, within a factor."""

        def cost(length: int) -> float:
            queue = Queue()
            for ticket in range(length):
                queue.add(session(ticket, str(ticket % 100)))
            best = 1.0
            for ticket in range(length, length + 50):
                new, began = session(ticket, "new"), time.perf_counter()
                queue.add(new)
                queue.position(new)
                queue.displaced_by("other", 1)
                queue.remove(new)
                best = min(best, time.perf_counter() - began)
            return best

        self.assertLess(cost(8000), 10 * cost(10))
