"""
Publication: the staged lists of a platform become its snapshot.

The :mod:`~patches.server.refresh.publication.queue` knows the platforms whose snapshot must be rebuilt; the
:mod:`~patches.server.refresh.publication.publisher` rebuilds one: it merges
(:mod:`~patches.server.refresh.publication.merge`) the lists, counts the changes
(:mod:`~patches.server.refresh.publication.changes`), and writes the snapshot to the catalogue.
"""
