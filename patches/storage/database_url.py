"""
The URL of the catalogue's database, SQLite or PostgreSQL, which is never displayed with its password.

Programs that do not use SQLAlchemy parse options with such URLs too: it is imported when the first one is parsed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import URL as URL  # for modules that name the type, and never load SQLAlchemy

SQLITE = "sqlite"
POSTGRESQL = "postgresql+psycopg"


def database_url(text: str) -> URL:
    """Parse the URL of a database; an error message does not contain the URL, which may contain a password."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(text.strip())
    except (ArgumentError, ValueError):
        url = None
    if url is None or not _is_usable(url):
        raise ValueError(f"must be a URL such as {SQLITE}:////srv/catalogue.sqlite or {POSTGRESQL}://user@host/name")
    return url


def _is_usable(url: URL) -> bool:
    if url.drivername == SQLITE:
        return url.database not in (None, "", ":memory:") and not url.host and not url.query
    return url.drivername == POSTGRESQL


def display_name(url: URL) -> str:
    """Return the name of a database for messages: the path of a file, or a URL without password and parameters."""
    if url.drivername == SQLITE:
        return str(url.database)
    bare = type(url).create(url.drivername, url.username, None, url.host, url.port, url.database)
    return bare.render_as_string()
