"""The output of ``clairctl export-updaters`` of Clair v4."""
