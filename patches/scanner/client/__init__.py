"""The client of patches-server: sessions, verified streams, deltas, the cache of verified lists."""
