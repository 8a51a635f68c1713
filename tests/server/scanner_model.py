"""A scanner of a made-up fleet: its state, and its checks of what it is served."""

from __future__ import annotations

from attrs import define, field
from twisted.internet.defer import Deferred

from patches.server.catalogue.delta import ReadableList
from patches.server.sessions.chunk_response import ChunkResponse
from tests.server.fake_catalogue import real


@define(eq=False)
class Scanner:
    """A scanner, with its behaviour and the chunks that it was served."""

    token: str
    snapshot: ReadableList
    needs: int
    arrived: int
    habit: str = "reads"
    got: list[int] = field(factory=list)
    over: str = ""
    diligent: bool = True
    asking: Deferred[object] | None = None
    asked: float = 0.0

    def take(self, chunk: ChunkResponse | None) -> None:
        """Receive a chunk, which must be the next one or the last one again; ``None``: the end."""
        if chunk is None:
            assert self.needs == self.snapshot.chunks, "it ended early"
            self.over = "complete"
        elif self.got and chunk.number == self.got[-1]:
            pass
        else:
            assert chunk.number == self.needs, "a chunk out of order"
            assert chunk.digest == real(self.snapshot.revision, self.needs).digest, "a chunk of another list"
            self.got.append(self.needs)
            self.needs += 1
