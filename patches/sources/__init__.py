"""Vulnerability sources: where the server reads complete lists; each module has a pure parser and a small fetcher."""
