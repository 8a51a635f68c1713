"""The outcome of a scan as rows: one for each upgrade or for each finding, in a table, a page or a file of values."""
