"""Clair 2: its API, the walk along its lists, and its namespaces."""
