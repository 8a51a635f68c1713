"""The sessions of a server, with the key of their tokens and the service that expires them."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

from attrs import frozen
from twisted.internet.defer import Deferred

from patches.interfaces import Run
from patches.server.assembly.shared import Shared
from patches.server.catalogue.integrity import verified_chunk
from patches.server.catalogue.store import Catalogue
from patches.server.errors import CatalogueError
from patches.server.first_scanner.service import FirstScannerService
from patches.server.first_scanner.slice_sessions import SliceLimits
from patches.server.options import SessionSettings
from patches.server.sessions.chunk_response import ChunkResponse, create_response
from patches.server.sessions.service import SessionService
from patches.server.sessions.session import Limits
from patches.server.sessions.tokens import TokenKey
from patches.service.periodic import PeriodicService
from patches.settings import BadSetting
from patches.wording import file_problem


@frozen
class SessionParts:
    """
    The sessions of a server.

    :ivar first_scanner: the sessions of first scanners.
    :ivar key: signs the tokens of both.
    :ivar expiring: expires silent sessions while it runs.
    """

    service: SessionService
    first_scanner: FirstScannerService
    key: TokenKey
    expiring: PeriodicService

    def revisions_in_use(self) -> set[str]:
        """Return the revisions that any session reads or will read."""
        return self.service.revisions_in_use() | self.first_scanner.revisions_in_use()

    def note_damage_at(self, note: Callable[[str, CatalogueError], object]) -> None:
        """Report the damage that sessions find from now on, with the revision of the list."""
        self.service.on_damage = note
        self.first_scanner.on_damage = note

    def stop(self) -> None:
        """Refuse new sessions, and end all that there are."""
        self.service.stop()
        self.first_scanner.stop()


def create_sessions(settings: SessionSettings, shared: Shared, catalogue: Catalogue) -> SessionParts:
    """
    Create the sessions of a server, which read the chunks of its catalogue.

    :raises BadSetting: if the key cannot be used.
    """
    key = _key(settings.session_key_file or shared.folder / "session.key")
    load = partial(load_chunk, shared.watch.run, catalogue, time.time)
    limits = _limits(settings)
    service = SessionService(limits, key, shared.budget, load, settings.window_bytes, shared.reactor)
    slices = SliceLimits(limits.max_active, limits.max_share, complete_silence=limits.session_timeout)
    first_scanner = FirstScannerService(slices, key, shared.budget, catalogue, shared.watch.run, shared.reactor)

    def tick() -> None:
        service.tick()
        first_scanner.tick()

    expiring = PeriodicService("Expiring sessions", timedelta(seconds=1), tick, shared.reactor)
    return SessionParts(service, first_scanner, key, expiring)


def load_chunk(
    run: Run, catalogue: Catalogue, wall: Callable[[], float], revision: str, number: int
) -> Deferred[ChunkResponse]:
    """
    Read a chunk in a thread, and verify it. Return it as a response.

    :param wall: returns the time in seconds since the epoch, for ``Date``.
    """
    chunk = run(verified_chunk, catalogue, revision, number)
    return chunk.addCallback(lambda chunk: create_response(chunk, wall()))


def _key(path: Path) -> TokenKey:
    try:
        return TokenKey.from_file(path)
    except OSError as error:
        raise BadSetting(f"--session-key-file {path}: {file_problem(error)}") from error
    except ValueError as error:
        raise BadSetting(f"--session-key-file {path}: {error}") from error


def _limits(settings: SessionSettings) -> Limits:
    return Limits(
        max_active=settings.max_active,
        max_queued=settings.max_queued,
        max_share=settings.max_share,
        session_timeout=settings.session_timeout.total_seconds(),
        queue_timeout=settings.queue_timeout.total_seconds(),
        chunk_timeout=settings.chunk_timeout.total_seconds(),
    )
