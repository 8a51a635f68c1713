"""
Damaged lists: a list in which damage was noted is marked in the catalogue, for all servers, and then made anew.

A snapshot that is marked is not served. The refresh publishes it again from the staged lists; a list that was replaced
is deleted. A damaged delta is deleted, and computed again.
"""

from __future__ import annotations

from twisted.logger import Logger

from patches.server.catalogue.deltas import Deltas
from patches.server.refresh.platforms import PlatformRegistry

log = Logger()


class DamagedLists:
    """The lists of one server in which damage was noted; see :meth:`.PlatformRegistry.note_damage`."""

    def __init__(self, registry: PlatformRegistry, deltas: Deltas) -> None:
        self._registry = registry
        self._deltas = deltas

    async def mark(self) -> list[str]:
        """
        Mark the snapshots that are damaged, and delete the deltas that are.

        :return: the revisions; see :meth:`.PlatformRegistry.forget_damage`.
        :raises CatalogueError: if the catalogue cannot be used; then it is to be tried again.
        """
        noted = self._registry.noted
        for revision, damage in noted.items():
            snapshot = await self._registry.mark_damaged(revision)
            if snapshot is not None:
                name = f"The list {revision} of {snapshot.platform}"
                log.error("{name} is damaged, and is made anew: {damage}", name=name, damage=damage)
            elif await self._deltas.drop(revision):
                log.error("The delta {name} is damaged, and is computed anew: {damage}", name=revision, damage=damage)
        if noted:
            await self._registry.load_current()
        return list(noted)
