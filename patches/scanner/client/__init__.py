"""The client of patches-server: sessions, verified streams, deltas, and the cache of verified lists."""
