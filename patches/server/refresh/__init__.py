"""Refresh: from vulnerability sources, list by list, to published snapshots."""
