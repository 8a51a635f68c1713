"""One module for each version; a released module is never edited."""
