"""
Refresh: from vulnerability sources, list by list, to published snapshots.

Start with :mod:`~patches.server.refresh.refresher`, whose ``tick`` is the whole of it. The sources are a
:mod:`~patches.server.refresh.source_set` of :mod:`~patches.server.refresh.source_state`; the
:mod:`~patches.server.refresh.poller` asks them, and the :mod:`~patches.server.refresh.importer` reads a changed list
into the :mod:`~patches.server.refresh.staging` store. The :mod:`~patches.server.refresh.publisher` merges
(:mod:`~patches.server.refresh.merge`) the lists of a platform and publishes the snapshot. Of several servers one does
all this: :mod:`~patches.server.refresh.leadership`; requests of scanners reach it through the
:mod:`~patches.server.refresh.requests_table`.
"""
