"""The refresher when the time of day is set."""

from __future__ import annotations

from sqlalchemy import delete
from twisted.internet.defer import ensureDeferred

from patches.server.catalogue.schema import CHUNKS, INTERVALS, PUBLICATIONS, SNAPSHOTS
from tests.server.fake_source import NOW, RefreshCase

_YEAR = 365 * 86_400.0


class RefreshedTests(RefreshCase):
    """A server whose time of day is set."""

    ahead = 0.0

    def wall(self) -> float:
        """Return the time of day."""
        return super().wall() + self.ahead

    def steady(self) -> float:
        """Return the time that nobody sets."""
        return super().wall()

    def age(self) -> float:
        """Return the age of the current list, by the time of day."""
        return self.wall() - self.refresh.registry.current("debian-12").checked

    def test_moved(self) -> None:
        """The age of a list stays what it is; the next check is stamped with the time of day, and due as before."""
        self.put("debian-12", 10)
        self.tick()
        asked = len(self.source.asked)
        for step in (-_YEAR, _YEAR, 3600.0, -3600.0):
            self.tick(60)
            before = self.age()
            self.ahead += step
            self.tick()
            self.assertEqual(self.age(), before)
        self.assertEqual(len(self.source.asked), asked)
        self.ahead -= _YEAR
        self.tick(self.interval.total_seconds())
        self.assertEqual(self.age(), 0.0)

    def serial(self) -> int:
        """Return the serial number of the current list."""
        return self.refresh.registry.current("debian-12").serial

    def test_serial(self) -> None:
        """A list that is published after the time of day was set back has a greater serial number, also restarted."""
        self.put("debian-12", 10)
        self.tick()
        self.tick(self.interval.total_seconds())  # checked again, which the catalogue stores seldom
        first, now = self.serial(), self.wall()
        self.assertEqual(first, int(now))
        for step, count in ((-3600.0, 11), (-_YEAR, 12)):
            self.ahead += step
            self.tick()
            self.assertEqual(self.serial(), first)
            self.put("debian-12", count)
            self.tick(self.interval.total_seconds())
            self.assertEqual(self.serial(), first + 1)
            first += 1
        self.assertEqual(self.age(), 0.0)
        self.refresh = self.create_refresher()
        self.successResultOf(ensureDeferred(self.refresh.load_current()))
        self.assertEqual(self.serial(), first)

    def test_catalogue_replaced(self) -> None:
        """A catalogue that is replaced numbers publications from 1 again; serial numbers go on, also after a step."""
        self.put("debian-12", 10)
        self.tick()
        first = self.serial()
        self.ahead -= _YEAR
        self.tick()
        with self.catalogue._engine.begin() as connection:
            for table in (SNAPSHOTS, CHUNKS, PUBLICATIONS, INTERVALS):
                connection.execute(delete(table))
        for _ in range(3):
            self.tick(60)
        current = self.refresh.registry.current("debian-12")
        self.assertEqual((current.publication, current.serial), (1, first + 1))

    def test_restarted(self) -> None:
        """A list that was checked in what is now the future is checked again at once, and has that time."""
        self.put("debian-12", 10)
        self.tick()
        self.ahead = -_YEAR
        self.refresh = self.create_refresher()
        self.successResultOf(ensureDeferred(self.refresh.load_current()))
        self.assertLess(self.age(), 0.0)
        self.tick()
        self.assertEqual((self.age(), self.wall()), (0.0, NOW - _YEAR + self.clock.seconds()))
        self.successResultOf(ensureDeferred(self.refresh.load_current()))
        (stored,) = self.catalogue.current()
        self.assertEqual(stored.checked, self.wall())
