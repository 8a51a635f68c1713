"""Vulnerability sources, from which the server reads complete lists; each has a pure parser and a small fetcher."""
