"""
The client of patches-server.

:mod:`~patches.scanner.client.client` opens streams; a :mod:`~patches.scanner.client.stream` holds a session and yields
verified chunks (:mod:`~patches.scanner.client.verified_stream`). :mod:`~patches.scanner.client.delta` applies changes
to the list of the :mod:`~patches.scanner.client.cache`; :mod:`~patches.scanner.client.trust` verifies signatures.
"""
