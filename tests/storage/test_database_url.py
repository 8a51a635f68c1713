"""Tests for :mod:`patches.storage.database_url`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.storage.database_url import database_url, display_name


class DatabaseUrlTests(SynchronousTestCase):
    """Valid and invalid URLs."""

    def test_taken(self) -> None:
        """Files of SQLite, and PostgreSQL by its driver, are valid; a password is never displayed."""
        for text, name in (
            ("sqlite:////srv/a file.sqlite", "/srv/a file.sqlite"),
            ("sqlite:///here.sqlite", "here.sqlite"),
            ("postgresql+psycopg://me:s3cret@db:5433/patches", "postgresql+psycopg://me@db:5433/patches"),
            (" postgresql+psycopg:///patches?host=/run/pg&password=s3cret ", "postgresql+psycopg:///patches"),
        ):
            self.assertEqual(display_name(database_url(text)), name)

    def test_refused(self) -> None:
        """Other URLs are refused, and the message does not contain them."""
        for text in (
            "",
            "s3cret",
            "sqlite://",
            "sqlite:///",
            "sqlite:///:memory:",
            "sqlite://s3cret/x",
            "sqlite:///s3cret?mode=ro",
            "postgresql://me:s3cret@db/patches",
            "postgresql+psycopg2://me:s3cret@db/patches",
            "postgresql+psycopg://me:s3cret@db:port/patches",
            "mysql://me:s3cret@db/patches",
        ):
            error = self.assertRaises(ValueError, database_url, text)
            self.assertTrue(str(error).startswith("must be a URL such as "))
            self.assertNotIn("s3cret", str(error))
