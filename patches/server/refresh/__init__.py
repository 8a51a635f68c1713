"""
Refresh: from vulnerability sources, list by list, to published snapshots.

Start with :mod:`~patches.server.refresh.refresher`, whose ``tick`` is the whole of it, and with the table of
:mod:`~patches.server.refresh.list_state`, the life of a list. The sources are a
:mod:`~patches.server.refresh.source_set` of :mod:`~patches.server.refresh.source_state`; the
:mod:`~patches.server.refresh.poller` asks them, and the :mod:`~patches.server.refresh.importer` reads a changed list
into the :mod:`~patches.server.refresh.staging` store. What is staged of a platform is published by
:mod:`~patches.server.refresh.publication`. Of several servers one does all this:
:mod:`~patches.server.refresh.leadership`; requests of scanners reach it through the
:mod:`~patches.server.refresh.requests_table`.
"""
