"""Files and databases of the programs: atomic writes, SQLite with a version of its tables, scratch databases."""
