"""A case with a whole server in memory, its maintenance and its scrub, whose stored data a test damages."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import TextClause, text
from twisted.internet.defer import ensureDeferred, maybeDeferred

from patches.server.catalogue.publication_store import PublicationStore
from patches.server.refresh.maintenance import Maintenance
from patches.server.refresh.repair.scrub import Scrub
from tests.server.server_case import ServerCase


class RepairCase(ServerCase):
    """A case with a server that has a list of Debian in three chunks, and one of Alpine in one."""

    def setUp(self) -> None:
        super().setUp()
        self.begin()

    def begin(self) -> None:
        """Create the maintenance of the server that was started last, and run it once."""
        stores = self.catalogue, self.store, PublicationStore(self.catalogue._engine)
        self.scrub = Scrub(*stores, self.lists, self.refresh.registry, maybeDeferred, self.clock)
        in_use = self.session_service.revisions_in_use
        more = self.forget_files, self.repair, self.scrub, self.watch.note
        self.maintenance = Maintenance(in_use, self.refresh, self.deltas, None, *more)
        self.go_on()

    async def forget_files(self) -> None:
        """Remove nothing."""

    async def repair(self) -> bool:
        """Replace nothing."""
        return False

    def go_on(self, seconds: float = 1) -> None:
        """Advance the time, and run the maintenance once."""
        self.clock.advance(seconds)
        self.successResultOf(ensureDeferred(self.maintenance.refresh()))

    def scrub_all(self) -> None:
        """Verify everything that is stored, once, from its beginning."""
        passes = self.scrub.passes
        while self.scrub.passes < passes + 2:
            self.successResultOf(ensureDeferred(self.maintenance.scrub()))

    def change(self, statement: str, **values: object) -> None:
        """Change the catalogue behind the server's back."""
        made: TextClause = text(statement)
        with self.catalogue._engine.begin() as connection:
            self.assertGreater(connection.execute(made, values).rowcount, 0)

    def revision(self, platform: str = "debian-12") -> str:
        """Return the revision of the list that is served."""
        snapshot = self.refresh.statuses[platform].snapshot
        assert snapshot is not None
        return snapshot.revision

    def ready(self, platform: str = "debian-12") -> dict[str, Any]:
        """Return whether a platform is ready, with its status."""
        answer = self.ask("GET", f"/ready?platform={platform}")
        return {"status": answer.status, **json.loads(answer.body)}
