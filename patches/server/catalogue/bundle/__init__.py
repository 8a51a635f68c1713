"""
Bundles: snapshots in one file, for a server without a network.

:mod:`~patches.server.catalogue.bundle.manifest` has the parts of such a file;
:mod:`~patches.server.catalogue.bundle.writer` creates it, :mod:`~patches.server.catalogue.bundle.reader` verifies it.
"""
