"""
A stream from patches-server: a platform's vulnerabilities, verified.

A stream ends normally only when every chunk came once, in order, with the digest that was announced for it, and the
count and the digest of the whole are what the server says at the end. Everything else is a :exc:`StreamError`. A
connection that breaks, a server that is restarted, and a session that has expired are made good by asking again and by
resuming the session, as long as patience lasts.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from patches.scanner.client.cache import CachedList, ListWriter
from patches.scanner.client.delta import DeltaApplier, DeltaHead
from patches.scanner.client.http_client import HttpClient, HttpResponse, Unreachable
from patches.scanner.client.patience import OutOfPatience, Patience
from patches.scanner.client.trust import Trust
from patches.scanner.client.verified_stream import (
    NotVerified,
    Refused,
    SessionLost,
    StreamError,
    Unchanged,
    VerifiedStream,
)
from patches.wire import MalformedWire, digest, encode_json, parse_repr_digest

WAIT_SECONDS = 20.0
_MOST_RESUMES = 8


class VulnerabilityStream(VerifiedStream):
    """
    One pass over one snapshot of a server.

    :ivar session: the session's token, once there is one.
    :ivar delta: what is said of the changes that are sent, where the list itself is not.
    :param server_http: sends requests to the server.
    :param contact: with a server that does not answer.
    :param patience: without progress, once there was contact.
    :param since: a list that is here: :exc:`Unchanged` is raised if it is the current one, and if the server can tell
        what became of it, the new list is made of both.
    :param keep: where the list is kept, if it is verified whole.
    :param trust: by whom the list must be signed; ``None``: by nobody.
    """

    def __init__(
        self,
        server_http: HttpClient,
        platform: str,
        contact: Patience,
        patience: Patience,
        since: CachedList | None = None,
        keep: ListWriter | None = None,
        trust: Trust | None = None,
    ) -> None:
        super().__init__()
        self.platform = platform
        self.session = ""
        self._trust = trust
        self.delta: DeltaHead | None = None
        self._since = since
        self._arrived = 0
        self._verified = b""
        self._end: dict[str, Any] = {}
        self._keep = keep
        self._server_http = server_http
        self._contact = contact
        self._patience = patience
        self._resumes = 0

    async def bodies(self) -> AsyncIterator[bytes]:
        """Give the verified body of each chunk, not decoded; instead of iterating over the vulnerabilities."""
        try:
            since = {"since": self._since.revision} if self._since is not None else {}
            await self._open({"platform": self.platform, **since})
            async for body in self._whole():
                self._count(body, self._verified if self.delta is None else digest(body))
                if self._keep is not None:
                    self._keep.add(body)
                yield body
            self._verify_end(self._end, self._arrived)
            if self._keep is not None:
                self._keep.commit(self.snapshot)
        except (Unreachable, OutOfPatience) as error:
            raise StreamError(str(error)) from error
        except MalformedWire as error:
            raise NotVerified(str(error)) from error

    async def close(self) -> None:
        """Leave the session, so that nobody waits for this scanner; whatever comes of it."""
        with suppress(Unreachable):
            await self._server_http.ask("DELETE", f"/v1/sessions/{self.session}")

    def _whole(self) -> AsyncIterator[bytes]:
        """Give the chunks of the list, whether they are sent, or what is sent is to be applied to what was kept."""
        if self.delta is None:
            return self._sent()
        if self._since is None or self.delta.since != self._since.revision:
            raise NotVerified("the server tells what became of a list that is not here")
        return DeltaApplier(self._since.lines(), self.delta.cuts).bodies(self._sent())

    async def _sent(self) -> AsyncIterator[bytes]:
        """Give the bodies that are sent, one after the other."""
        while (body := await self._chunk(self._arrived)) is not None:
            self._arrived += 1
            yield body

    async def _open(self, request: dict[str, Any]) -> None:
        while True:
            try:
                answer = await self._server_http.ask("POST", "/v1/sessions", encode_json(request))
            except Unreachable as error:
                await (self._patience if self.session else self._contact).pause(str(error))
                continue
            if answer.status == 201:
                self._note_session(answer)
                return
            if answer.status == 200 and "since" in request:
                raise Unchanged(self._unchanged(answer))
            await self._pause_or_give_up(answer, resuming="resume" in request)

    def _unchanged(self, answer: HttpResponse) -> dict[str, Any]:
        document = answer.document() or {}
        snapshot = document.get("snapshot")
        if document.get("unchanged") is not True or not isinstance(snapshot, dict):
            raise NotVerified("the server opened no session, and did not say that the list has not changed")
        if self._since is None or snapshot.get("revision") != self._since.revision:
            raise NotVerified("the server says of another list that it has not changed")
        self._take_snapshot(snapshot)
        return snapshot

    def _note_session(self, answer: HttpResponse) -> None:
        document = answer.document() or {}
        session = document.get("session")
        if not isinstance(session, str) or not session:
            raise NotVerified("the server opened a session and did not name it")
        self.session = session
        if "delta" in document:
            self.delta = DeltaHead.from_document(document["delta"])
        self._note_snapshot(document)

    def _note_snapshot(self, document: dict[str, Any]) -> None:
        snapshot = document.get("snapshot")
        if isinstance(snapshot, dict):
            if self.snapshot and snapshot.get("revision") != self.snapshot.get("revision"):
                raise SessionLost("the server goes on with another snapshot")
            if snapshot != self.snapshot:
                self._take_snapshot(snapshot)

    def _take_snapshot(self, snapshot: dict[str, Any]) -> None:
        if self._trust is not None:
            self._trust.admit(self.platform, snapshot)
        self.snapshot = snapshot

    async def _pause_or_give_up(self, answer: HttpResponse, resuming: bool) -> None:
        message = answer.error_message
        if answer.status >= 500 or answer.status == 429:
            await self._patience.pause(message, answer.retry_after)
        elif resuming:
            raise SessionLost(f"the session cannot be resumed: {message}")
        else:
            raise Refused(answer.error_code, message)

    async def _chunk(self, number: int) -> bytes | None:
        """Have one chunk, whatever it takes; ``None`` if the stream is complete."""
        path = f"/v1/sessions/{{}}/chunks/{number}"
        while True:
            try:
                answer = await self._server_http.ask("GET", path.format(self.session), wait=WAIT_SECONDS)
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

    async def _wait(self, answer: HttpResponse) -> None:
        """The server says that others are before us, or slower: that is an answer, and no reason to give up."""
        self._patience.progress()
        after = (answer.document() or {}).get("pollAfter")
        await self._patience.pause("the server asks to wait", float(after) if isinstance(after, int | float) else 1.0)

    async def _resume(self, answer: HttpResponse, number: int) -> None:
        self._resumes += 1
        if self._resumes > _MOST_RESUMES:
            raise SessionLost(f"the session was resumed {_MOST_RESUMES} times without progress: {answer.error_message}")
        await self._open({"resume": self.session, "chunk": number})

    async def _take(self, answer: HttpResponse, number: int) -> bytes | None:
        self._patience.progress()
        self._resumes = 0
        if answer.header("Content-Type").startswith("application/json"):
            end = answer.document()
            if end is None or end.get("finished") is not True:
                raise NotVerified("the end of the stream is malformed")
            if not self.snapshot:
                self._take_snapshot({"revision": end.get("revision")})
            self._end = end
            return None
        self._verified = digest(answer.body)
        if self._verified != parse_repr_digest(answer.header("Repr-Digest")):
            raise NotVerified(f"chunk {number} is not what the server announced: its digest differs")
        if not self.snapshot:
            await self._learn_snapshot()
        return answer.body

    async def _learn_snapshot(self) -> None:
        """A session that was queued at first was not told yet what it reads."""
        answer = await self._server_http.ask("GET", f"/v1/sessions/{self.session}")
        if answer.status == 200:
            self._note_snapshot(answer.document() or {})
