"""Tests for :mod:`patches.server.catalogue.transactions`."""

from __future__ import annotations

import threading

from sqlalchemy import create_engine
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from patches.server.catalogue.schema import open_database
from patches.server.catalogue.store import Catalogue
from patches.server.catalogue.transactions import (
    LockPurpose,
    RefreshLock,
    catalogue_errors,
    read_transaction,
    refresh_lock,
    write_transaction,
)
from patches.server.errors import CatalogueAway, CatalogueError
from tests.integration.daemons import wait_for
from tests.postgresql import postgresql
from tests.server.databases import DatabaseCase, OnPostgreSQL


class TransactionTests(DatabaseCase):
    """Reading and writing."""

    def setUp(self) -> None:
        self.where = self.new_database()
        self.engine = open_database(self.where)
        self.addCleanup(self.engine.dispose)
        with write_transaction(self.engine) as connection:
            connection.exec_driver_sql("CREATE TABLE noted (number INTEGER)")

    def noted(self) -> list[int]:
        """Return the numbers that were written."""
        with read_transaction(self.engine) as connection:
            return [row[0] for row in connection.exec_driver_sql("SELECT number FROM noted ORDER BY number")]

    def test_whole(self) -> None:
        """A row is there once the transaction that wrote it has ended, and not before."""
        with write_transaction(self.engine) as connection:
            connection.exec_driver_sql("INSERT INTO noted VALUES (1)")
            self.assertEqual(self.noted(), [])
        self.assertEqual(self.noted(), [1])

    def test_nothing(self) -> None:
        """If the program fails within a transaction, nothing is written, and its error passes unchanged."""
        with self.assertRaises(KeyError), write_transaction(self.engine) as connection:
            connection.exec_driver_sql("INSERT INTO noted VALUES (1)")
            raise KeyError("x")
        self.assertEqual(self.noted(), [])

    def test_one_writer(self) -> None:
        """A second writer waits until the first has ended."""
        began, ended = threading.Event(), threading.Event()

        def write() -> None:
            began.set()
            with write_transaction(self.engine) as connection:
                found = connection.exec_driver_sql("SELECT max(number) FROM noted").scalar_one()
                connection.exec_driver_sql(f"INSERT INTO noted VALUES ({found + 1})")
            ended.set()

        with write_transaction(self.engine) as connection:
            thread = threading.Thread(target=write)
            thread.start()
            began.wait(10)
            connection.exec_driver_sql("INSERT INTO noted VALUES (7)")
            self.assertFalse(ended.is_set())
        thread.join(10)
        self.assertEqual(self.noted(), [7, 8])

    def test_unusable(self) -> None:
        """A database that cannot be used is an error of the catalogue, in one line."""
        for use in (read_transaction, write_transaction):
            with self.assertRaises(CatalogueError) as caught, use(self.engine) as connection:
                connection.exec_driver_sql("SELECT * FROM nowhere" if use is read_transaction else "INSERT nowhere")
            self.assertNotIn("\n", str(caught.exception))


class ErrorTests(DatabaseCase):
    """Errors of the database."""

    def test_converted(self) -> None:
        """A database that is unavailable is an error of the catalogue; a violated constraint is a bug."""
        cause = Exception("disk I/O error\nmore")
        for kind in (OperationalError, InterfaceError):
            with self.assertRaisesRegex(CatalogueError, "^disk I/O error$"), catalogue_errors():
                raise kind("SELECT 1", {}, cause)
        with self.assertRaisesRegex(CatalogueError, "no connection"), catalogue_errors():
            raise PoolTimeout("no connection")
        with self.assertRaises(IntegrityError), catalogue_errors():
            raise IntegrityError("INSERT", {}, cause)

    def test_away(self) -> None:
        """PostgreSQL is away if there is no connection, or it says that there can be none."""
        for code, is_away in ((None, True), ("57P01", True), ("53300", True), ("08006", True), ("53100", False)):
            cause = Exception("why")
            cause.sqlstate = code  # type: ignore[attr-defined]
            with self.assertRaises(CatalogueError) as caught, catalogue_errors():
                raise OperationalError("SELECT 1", {}, cause)
            self.assertEqual(isinstance(caught.exception, CatalogueAway), is_away, code)

    def test_purposes(self) -> None:
        """The numbers of locks are the same in every version, as servers of two versions may share a database."""
        self.assertEqual(
            {purpose.name: int(purpose) for purpose in LockPurpose},
            {"MIGRATING": 1, "WRITING": 2, "REFRESHING": 3, "TELLING": 4},
        )

    def test_missing_folder(self) -> None:
        """A file that cannot be opened is an error of the catalogue."""
        engine = create_engine("sqlite:////absent/catalogue.sqlite")
        with self.assertRaisesRegex(CatalogueError, "unable to open database file"), read_transaction(engine):
            pass


class RefreshLockTests(OnPostgreSQL, DatabaseCase):
    """The lock in PostgreSQL."""

    def setUp(self) -> None:
        self.where = self.new_database()
        self.one, self.other = self.lock(), self.lock()

    def lock(self) -> RefreshLock:
        """Create the lock of a server."""
        lock = refresh_lock(open_database(self.where))
        assert lock is not None
        self.addCleanup(lock.release)
        return lock

    def test_one_holds(self) -> None:
        """The lock has one holder, until its connection is closed."""
        self.assertEqual([self.one.acquire(), self.other.acquire(), self.one.acquire()], [True, False, True])
        self.one.release()
        wait_for(self.other.acquire, 10)  # PostgreSQL notices that a connection was closed when it comes to it
        self.assertFalse(self.one.acquire())

    def test_connection_lost(self) -> None:
        """A server whose connection is lost learns that it has lost the lock, and can try again."""
        self.assertTrue(self.one.acquire())
        postgresql().execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted")
        wait_for(self.other.acquire, 10)
        self.assertRaises(CatalogueError, self.one.acquire)
        self.assertFalse(self.one.acquire())

    def test_beside_the_pool(self) -> None:
        """The lock does not use a connection of the pool."""
        engine = open_database(self.where)
        self.addCleanup(engine.dispose)
        lock = RefreshLock(engine)
        self.addCleanup(lock.release)
        self.assertTrue(lock.acquire())
        self.assertEqual(engine.pool.checkedout(), 0)  # type: ignore[attr-defined]
        self.assertEqual(Catalogue(engine).current(), [])


class NoLockTests(DatabaseCase):
    """A catalogue in SQLite."""

    def test_none(self) -> None:
        """A catalogue in a file is not shared, and has no lock."""
        self.assertIsNone(refresh_lock(open_database(self.new_database())))
