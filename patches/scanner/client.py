"""
The client of patches-server: a platform's vulnerabilities as a verified stream.

A stream ends normally only when every chunk came once, in order, with the digest that was announced for it, and the
count and the digest of the whole are what the server says at the end. Everything else is a :exc:`StreamError`. A
connection that breaks, a server that is restarted, and a session that has expired are made good by asking again and by
resuming the session, as long as patience lasts.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Container
from datetime import timedelta
from typing import Any

from attrs import frozen
from twisted.internet.interfaces import IReactorTime

from patches.scanner.exchange import Answer, Exchange, Unreachable
from patches.scanner.patience import OutOfPatience, Patience
from patches.vulnerability import Vulnerability
from patches.wire import (
    MAX_CHUNK_BYTES,
    MalformedWire,
    StreamDigest,
    decode_lines,
    digest,
    encode_json,
    parse_repr_digest,
)

WAIT_SECONDS = 20.0
_MOST_RESUMES = 8


class StreamError(Exception):
    """The list was not had whole; its text says why, in one line."""


class Refused(StreamError):
    """
    The server will not serve this.

    :ivar code: the server's word for it, ``unknown-platform``.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"the server refused: {message}")
        self.code = code


class NotVerified(StreamError):
    """What came is not what the server said it would be."""


class SessionLost(StreamError):
    """The session cannot be taken up again; a new one, from the beginning, may succeed."""


@frozen
class ClientSettings:
    """
    How hard to try.

    :ivar contact: for how long to try to open a session with a server that does not answer.
    :ivar patience: for how long to go on without progress, once there was contact; also while it is denied.
    """

    contact: timedelta = timedelta(seconds=5)
    patience: timedelta = timedelta(minutes=10)


class VulnerabilityStream:
    """
    One pass over one snapshot: an asynchronous iterator of vulnerabilities, once.

    :ivar session: the session's token, once there is one.
    :ivar snapshot: what the server says of the snapshot, once the session is active.
    :ivar served: how many vulnerabilities came so far, those of the chunk at hand included.
    :ivar complete: whether all came, and everything was verified.
    :param exchange: asks the server.
    """

    def __init__(
        self,
        exchange: Exchange,
        platform: str,
        settings: ClientSettings,
        clock: IReactorTime,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.platform = platform
        self.session = ""
        self.snapshot: dict[str, Any] = {}
        self.served = 0
        self.complete = False
        self._exchange = exchange
        self._contact = Patience(settings.contact, clock, jitter)
        self._patience = Patience(settings.patience, clock, jitter)
        self._digest = StreamDigest()
        self._resumes = 0

    @property
    def digest(self) -> str:
        """The digest of what came so far, in hexadecimal."""
        return self._digest.hexdigest()

    def __aiter__(self) -> AsyncIterator[Vulnerability]:
        return self.naming(None)

    async def naming(self, names: Container[str] | None) -> AsyncIterator[Vulnerability]:
        """Give only the vulnerabilities that fix a package of one of these names; all come, and are verified."""
        async for body in self.bodies():
            try:
                for vulnerability in decode_lines(body, names):
                    yield vulnerability
            except MalformedWire as error:
                raise NotVerified(f"the server sent what is {error}") from error

    async def bodies(self) -> AsyncIterator[bytes]:
        """Give the verified body of each chunk, not decoded; instead of iterating over the vulnerabilities."""
        try:
            await self._open({"platform": self.platform})
            number = 0
            while (body := await self._chunk(number)) is not None:
                number += 1
                yield body
        except (Unreachable, OutOfPatience) as error:
            raise StreamError(str(error)) from error
        except MalformedWire as error:
            raise NotVerified(str(error)) from error

    async def _open(self, request: dict[str, Any]) -> None:
        while True:
            try:
                answer = await self._exchange.ask("POST", "/v1/sessions", encode_json(request))
            except Unreachable as error:
                await (self._patience if self.session else self._contact).pause(str(error))
                continue
            if answer.status == 201:
                self._note_session(answer)
                return
            await self._pause_or_give_up(answer, resuming="resume" in request)

    def _note_session(self, answer: Answer) -> None:
        document = answer.document()
        session = document.get("session")
        if not isinstance(session, str) or not session:
            raise NotVerified("the server opened a session and did not name it")
        self.session = session
        self._note_snapshot(document)

    def _note_snapshot(self, document: dict[str, Any]) -> None:
        snapshot = document.get("snapshot")
        if isinstance(snapshot, dict):
            if self.snapshot and snapshot.get("revision") != self.snapshot.get("revision"):
                raise SessionLost("the server goes on with another snapshot")
            self.snapshot = snapshot

    async def _pause_or_give_up(self, answer: Answer, resuming: bool) -> None:
        code, message = answer.error
        if answer.status >= 500 or answer.status == 429:
            await self._patience.pause(message, answer.retry_after)
        elif resuming:
            raise SessionLost(f"the session cannot be resumed: {message}")
        else:
            raise Refused(code, message)

    async def _chunk(self, number: int) -> bytes | None:
        """Have one chunk, whatever it takes; ``None`` if the stream is complete."""
        path = f"/v1/sessions/{{}}/chunks/{number}"
        while True:
            try:
                answer = await self._exchange.ask("GET", path.format(self.session), wait=WAIT_SECONDS)
            except Unreachable as error:
                await self._patience.pause(str(error))
                continue
            if answer.status == 200:
                return await self._take(answer, number)
            if answer.status == 202:
                await self._wait(answer)
            elif answer.status in (404, 409, 410):
                await self._resume(answer, number)
            else:
                await self._pause_or_give_up(answer, resuming=False)

    async def _wait(self, answer: Answer) -> None:
        """The server says that others are before us, or slower: that is an answer, and no reason to give up."""
        self._patience.progress()
        after = answer.document().get("pollAfter")
        await self._patience.pause("the server asks to wait", float(after) if isinstance(after, int | float) else 1.0)

    async def _resume(self, answer: Answer, number: int) -> None:
        self._resumes += 1
        if self._resumes > _MOST_RESUMES:
            raise SessionLost(f"the session was resumed {_MOST_RESUMES} times without progress: {answer.error[1]}")
        await self._open({"resume": self.session, "chunk": number})

    async def _take(self, answer: Answer, number: int) -> bytes | None:
        self._patience.progress()
        self._resumes = 0
        if answer.header("Content-Type").startswith("application/json"):
            self._verify_end(answer.document(), number)
            return None
        announced = parse_repr_digest(answer.header("Repr-Digest"))
        actual = digest(answer.body)
        if actual != announced:
            raise NotVerified(f"chunk {number} is not what the server announced: its digest differs")
        if not self.snapshot:
            await self._learn_snapshot()
        self._digest.add(actual)
        self.served += answer.body.count(b"\n")
        return answer.body

    async def _learn_snapshot(self) -> None:
        """A session that was queued at first was not told yet what it reads."""
        answer = await self._exchange.ask("GET", f"/v1/sessions/{self.session}")
        if answer.status == 200:
            self._note_snapshot(answer.document())

    def _verify_end(self, end: dict[str, Any], number: int) -> None:
        if end.get("finished") is not True:
            raise NotVerified("the server sent a chunk that is none")
        self.snapshot = self.snapshot or {"revision": end.get("revision")}
        expected = {
            "chunks": number,
            "vulnerabilities": self.served,
            "digest": self.digest,
            "revision": self.snapshot.get("revision"),
        }
        for name, value in expected.items():
            if end.get(name) != value:
                raise NotVerified(f"the end of the stream does not fit: {name} is {end.get(name)}, and {value} came")
        self.complete = True


class PatchesClient:
    """
    Opens streams.

    :param http: a treq client.
    :param base_url: of the server.
    """

    def __init__(
        self,
        http: Any,
        base_url: str,
        clock: IReactorTime,
        settings: ClientSettings | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._exchange = Exchange(http, base_url, clock, MAX_CHUNK_BYTES)
        self._clock = clock
        self._settings = settings or ClientSettings()
        self._jitter = jitter

    def stream(self, platform: str) -> VulnerabilityStream:
        """Begin a pass over the current list of a platform; nothing is asked yet."""
        return VulnerabilityStream(self._exchange, platform, self._settings, self._clock, self._jitter)
