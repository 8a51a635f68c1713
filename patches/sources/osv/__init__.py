"""OSV: records of many distributions in one format, as archives."""
