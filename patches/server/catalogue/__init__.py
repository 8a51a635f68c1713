"""
The catalogue: the server's store of lists, as immutable snapshots, with their deltas and bundles.

Start with :mod:`~patches.server.catalogue.store`. A list becomes :mod:`~patches.server.catalogue.chunks` and a
:mod:`~patches.server.catalogue.snapshot`, written in one transaction; :mod:`~patches.server.catalogue.deltas` follow.
:mod:`~patches.server.catalogue.schema` has the tables, :mod:`~patches.server.catalogue.migrate` their versions.
"""

#: The file of the catalogue in a server's state folder, where no other database is configured.
CATALOGUE = "catalogue.sqlite"
