"""Tests for :mod:`patches.server.catalogue.availability.connections`."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.server.catalogue.availability.connections import Connections
from patches.server.catalogue.schema import open_database
from patches.server.catalogue.store import Catalogue
from patches.server.errors import CatalogueAway
from tests.postgresql import PostgreSQL, programs


class ConnectionsTests(SynchronousTestCase):
    """The connections of a file, and of a PostgreSQL that is frozen and stopped."""

    def test_file(self) -> None:
        """A file has nothing to ask, nothing to cut, and refuses nobody."""
        engine = open_database(Path(self.mktemp()).absolute())
        self.addCleanup(engine.dispose)
        connections = Connections(engine)
        connections.are_refused = True
        connections.ask()
        connections.cut()
        self.assertEqual(Catalogue(engine).current(), [])

    def test_postgresql(self) -> None:
        """Calls to a frozen PostgreSQL end when they are cut; it is reached again without a new engine."""
        cluster = PostgreSQL(programs())
        self.addCleanup(cluster.remove)
        engine = open_database(cluster.create())
        self.addCleanup(engine.dispose)
        connections, catalogue = Connections(engine), Catalogue(engine)
        connections.ask()
        self.assertEqual(catalogue.current(), [])
        cluster.freeze()
        raised: list[type[BaseException]] = []
        threads = [
            threading.Thread(target=self.collect, args=(call, raised)) for call in (connections.ask, catalogue.current)
        ]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        self.assertEqual(raised, [])
        connections.are_refused = True
        connections.cut()
        for thread in threads:
            thread.join(10)
        self.assertEqual(raised, [CatalogueAway, CatalogueAway])
        self.assertRaises(CatalogueAway, catalogue.current)
        cluster.thaw()
        connections.ask()
        self.assertRaises(CatalogueAway, catalogue.current)
        connections.are_refused = False
        self.assertEqual(catalogue.current(), [])
        cluster.stop()
        self.assertRaises(CatalogueAway, connections.ask)
        self.assertRaises(CatalogueAway, catalogue.current)
        cluster.start()
        connections.ask()
        self.assertEqual(catalogue.current(), [])

    @staticmethod
    def collect(call: object, raised: list[type[BaseException]]) -> None:
        """Make a call in a thread. Note what it raises."""
        try:
            call()  # type: ignore[operator]
        except Exception as error:
            raised.append(type(error))
