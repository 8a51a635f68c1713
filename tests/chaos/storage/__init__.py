"""Files and databases that fail, are damaged, away, or of another version."""
