"""
Sessions: admission, cohorts, and the cache windows that they read.

Start with :mod:`~patches.server.sessions.sessions`, the service that the API calls. It keeps each session in the
:mod:`~patches.server.sessions.table`, moves it by :mod:`~patches.server.sessions.admission` into a cohort of
:mod:`~patches.server.sessions.cohorts`, and serves it from that cohort's :mod:`~patches.server.sessions.window`, as a
:mod:`~patches.server.sessions.chunk_response`. :mod:`~patches.server.sessions.expiry` ends silent and slow sessions;
:mod:`~patches.server.sessions.tokens` makes their names.
"""
