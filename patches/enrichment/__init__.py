"""Enrichment: what other sources know about a vulnerability id, added to the records of a platform."""
