"""
Damage of the catalogue that the digests of its chunks do not show, and how it is noticed.

:mod:`~patches.server.catalogue.damage.seals` are of the descriptions of snapshots;
:mod:`~patches.server.catalogue.damage.file` is about a file that is damaged as a whole.
"""
