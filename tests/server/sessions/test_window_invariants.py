"""Invariants of the window, whatever its readers, the catalogue and the network do, in whatever order."""

from __future__ import annotations

import pytest
from attrs import define, field
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from patches.server.errors import OutOfOrder, WindowClosed
from patches.server.sessions.chunk_response import MAX_RESPONSE_BYTES, ChunkResponse
from patches.server.sessions.window import Window
from tests.server.fake_catalogue import ShelfBroken, blank

SIZES = st.integers(1, MAX_RESPONSE_BYTES)
WHO = st.integers(0, 7)


@define(eq=False)
class Reader:
    """A reader with its position, the chunks it was served, and the requests it waits for."""

    at: int
    first: int
    got: list[ChunkResponse] = field(factory=list)
    waiting: list[Deferred[None]] = field(factory=list)

    @property
    def served(self) -> bool:
        """Whether the reader was served the chunk at its position."""
        return len(self.got) > self.at - self.first

    def take(self, chunk: ChunkResponse) -> None:
        """Receive a chunk, which must be the next one or the same as before."""
        assert chunk.number == self.at, "a chunk that was not asked for"
        if self.served:
            assert chunk is self.got[-1], "asked again, it gave something else"
        else:
            self.got.append(chunk)


class WindowMachine(RuleBasedStateMachine):
    """Readers, loads and slow responses of one window after another."""

    @initialize(chunks=st.integers(0, 8), room=st.integers(MAX_RESPONSE_BYTES, 4 * MAX_RESPONSE_BYTES), who=WHO)
    def begin(self, chunks: int, room: int, who: int) -> None:
        """Create a window for a first reader."""
        self.room = room
        self.names = 0
        self.troubles: list[Failure] = []
        self.readers: dict[int, Reader] = {}
        self.loads: list[tuple[int, Deferred[ChunkResponse]]] = []
        self.loaded: dict[int, ChunkResponse] = {}
        self.held: list[ChunkResponse] = []
        self.sizes: list[int] = []
        self.window = Window(chunks, who % (chunks + 1), room, self.load)
        self.join(0)

    def load(self, number: int) -> Deferred[ChunkResponse]:
        """Load a chunk at once if a size is prepared for it; otherwise wait for a later step."""
        if self.sizes:
            self.loaded[number] = blank(number, self.sizes.pop())
            return succeed(self.loaded[number])
        waiting: Deferred[ChunkResponse] = Deferred()
        self.loads.append((number, waiting))
        return waiting

    def someone(self, who: int) -> tuple[int, Reader]:
        """Pick a reader."""
        return list(self.readers.items())[who % len(self.readers)]

    def ask(self, name: int, n: int, more: int = 0) -> None:
        """Ask for a chunk, and check the answer when it arrives; then ask for some more at once."""
        reader = self.readers[name]
        reader.at = n
        answer = self.window.read(name, n)
        reader.waiting.append(answer)
        answer.addCallback(reader.take)
        if more and n + 1 < self.window.chunks:
            answer.addCallback(lambda _: reader.waiting == [answer] and self.ask(name, n + 1, more - 1))
        answer.addErrback(lambda failure: failure.trap(ShelfBroken, CancelledError, WindowClosed))
        answer.addErrback(self.troubles.append)
        answer.addCallback(lambda _: reader.waiting.remove(answer))

    @precondition(lambda self: self.readers)
    @rule(who=WHO)
    def join(self, who: int) -> None:
        """A reader joins at any chunk that the window has or will have."""
        position = self.window.tail + who % (self.window.chunks - self.window.tail + 1)
        self.names += 1
        self.readers[self.names] = Reader(position, position)
        self.window.join(self.names, position)

    @precondition(lambda self: self.readers and self.window.tail)
    @rule(who=WHO)
    def join_too_late(self, who: int) -> None:
        """A reader whose chunk was dropped is not admitted."""
        with pytest.raises(OutOfOrder):
            self.window.join("late", who % self.window.tail)

    @precondition(lambda self: self.readers)
    @rule(who=WHO)
    def leave(self, who: int) -> None:
        """A reader leaves, and all its requests fail."""
        name, reader = self.someone(who)
        self.window.leave(name)
        del self.readers[name]
        assert not reader.waiting, "it waits for ever"

    @precondition(lambda self: self.readers)
    @rule(who=WHO, more=st.integers(0, 2))
    def read_on(self, who: int, more: int) -> None:
        """A reader asks for the next chunk, or again for the one it waits for; some ask for more at once."""
        name, reader = self.someone(who)
        n = reader.at + reader.served
        if n < self.window.chunks:
            self.ask(name, n, more)

    @precondition(lambda self: self.readers)
    @rule(who=WHO)
    def read_again(self, who: int) -> None:
        """A reader asks again for the chunk it was served last."""
        name, reader = self.someone(who)
        if reader.served:
            self.ask(name, reader.at)
            assert not reader.waiting, "it had it, and has to wait for it"

    @precondition(lambda self: self.readers)
    @rule(who=WHO)
    def look(self, who: int) -> None:
        """A reader asks without waiting."""
        name, reader = self.someone(who)
        n = reader.at + reader.served
        if n < self.window.chunks:
            reader.at = n
            chunk = self.window.read_cached(name, n)
            if chunk is not None:
                reader.take(chunk)

    @precondition(lambda self: self.readers)
    @rule(who=WHO, way=st.sampled_from([-2, -1, 1, 2]))
    def read_wrong(self, who: int, way: int) -> None:
        """A reader asks for a chunk out of order, which changes nothing."""
        name, reader = self.someone(who)
        n = reader.at + way
        if way == 1 and reader.served and n <= self.window.chunks:
            return
        with pytest.raises(OutOfOrder) as caught:
            self.window.read_cached(name, n)
        assert (caught.value.asked, caught.value.at) == (n, reader.at)

    @precondition(lambda self: any(reader.waiting for reader in self.readers.values()))
    @rule(who=WHO)
    def cancel(self, who: int) -> None:
        """A waiting request is cancelled."""
        waiting = [deferred for reader in self.readers.values() for deferred in reader.waiting]
        waiting[who % len(waiting)].cancel()

    @precondition(lambda self: self.readers)
    @rule(who=WHO)
    def finish(self, who: int) -> None:
        """A reader that was served all chunks finishes and leaves."""
        name, reader = self.someone(who)
        if reader.at + reader.served == self.window.chunks:
            self.window.finish(name)
            assert [chunk.number for chunk in reader.got] == list(range(reader.first, self.window.chunks))
            self.window.leave(name)
            del self.readers[name]

    @rule(sizes=st.lists(SIZES, max_size=3))
    def be_quick(self, sizes: list[int]) -> None:
        """The next loads complete at once."""
        self.sizes = sizes

    @precondition(lambda self: self.loads)
    @rule(size=SIZES)
    def loads_late(self, size: int) -> None:
        """A load completes."""
        number, waiting = self.loads.pop(0)
        self.loaded[number] = blank(number, size)
        waiting.callback(self.loaded[number])

    @precondition(lambda self: self.loads)
    @rule()
    def load_fails(self) -> None:
        """A load fails, and so do all requests for that chunk or a later one."""
        _, waiting = self.loads.pop(0)
        waiting.errback(ShelfBroken())

    @precondition(lambda self: self.readers)
    @rule(who=WHO)
    def pin(self, who: int) -> None:
        """The response with the last chunk of a reader is sent slowly."""
        _, reader = self.someone(who)
        if reader.served:
            reader.got[-1].pin()
            self.held.append(reader.got[-1])

    @precondition(lambda self: self.held)
    @rule(who=WHO)
    def release(self, who: int) -> None:
        """A slow response was sent."""
        self.held.pop(who % len(self.held)).unpin()

    @precondition(lambda self: self.window.emptied.called)
    @rule(chunks=st.integers(0, 8), room=st.integers(MAX_RESPONSE_BYTES, 4 * MAX_RESPONSE_BYTES), who=WHO)
    def begin_again(self, chunks: int, room: int, who: int) -> None:
        """The next cohort has a window of its own."""
        self.begin(chunks, room, who)

    @invariant()
    def no_troubles(self) -> None:
        """A reader never gets a chunk or an error that is not due."""
        for failure in self.troubles:
            failure.raiseException()

    @invariant()
    def counts_its_bytes(self) -> None:
        """Chunks that are cached, being loaded or being sent are counted, and fit into the window."""
        kept = {number: chunk for number, chunk in self.loaded.items() if self.readers and self.window.tail <= number}
        alive = {id(chunk): chunk.size for chunk in (*kept.values(), *self.held)}
        assert self.window.cached_bytes == sum(alive.values()) + len(self.loads) * MAX_RESPONSE_BYTES
        assert self.window.cached_bytes <= self.room

    @invariant()
    def keeps_what_is_needed(self) -> None:
        """The tail is never ahead of the last reader."""
        if self.readers:
            assert self.window.tail <= min(reader.at for reader in self.readers.values())
            assert self.window.tail <= self.window.head <= self.window.chunks

    @invariant()
    def nobody_waits_for_what_is_there(self) -> None:
        """A request waits only for a load, for room, or for the window to slide."""
        for reader in self.readers.values():
            if reader.waiting:
                assert reader.at not in self.loaded, "the chunk is there"
                blocked = self.window.cached_bytes + MAX_RESPONSE_BYTES > self.room
                assert self.loads or blocked, "nothing is being done for it"

    @invariant()
    def ends_when_empty(self) -> None:
        """A window is emptied if and only if it has neither readers nor bytes."""
        assert self.window.emptied.called == (not self.readers and not self.held and not self.loads)

    def teardown(self) -> None:
        """Once loads and responses complete, each reader is served all its chunks in a bounded number of steps."""
        if not hasattr(self, "window"):
            return
        for _ in range(10 * (self.window.chunks + 1)):
            for chunk in self.held:
                chunk.unpin()
            self.held.clear()
            while self.loads:
                self.loads_late(MAX_RESPONSE_BYTES)
            for name, reader in list(self.readers.items()):
                if reader.at + reader.served == self.window.chunks:
                    self.window.finish(name)
                    self.window.leave(name)
                    del self.readers[name]
                elif not reader.waiting:
                    self.ask(name, reader.at + reader.served)
        assert not self.readers, "somebody never got everything"
        assert self.window.emptied.called


class WindowInvariantsTests(SynchronousTestCase):
    """The invariants of a window."""

    def test_invariants(self) -> None:
        """The invariants hold for any order of events."""
        run_state_machine_as_test(
            WindowMachine, settings=settings(max_examples=120, stateful_step_count=40, deadline=None)
        )
        self.flushLoggedErrors(ShelfBroken)
