"""Files and databases of our own: SQLite with a stated version, scratch databases, atomic writes."""
