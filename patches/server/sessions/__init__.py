"""Sessions: admission, cohorts, and the cache window that they read."""
