"""
A verified stream of a platform's vulnerabilities from patches-server.

A stream ends normally only if every chunk was received once, in order, with the digest that was announced for it, and
if the count and the digest of the whole list are those in the server's document at the end. Everything else is a
:exc:`StreamError`. If a connection breaks, a server restarts or a session expires, the request is retried and the
session is resumed until the time limit of :class:`~patches.scanner.client.patience.Patience`.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

from patches.scanner.client.bounds import Bounds, SizeMeter
from patches.scanner.client.cache import CachedList, ListWriter
from patches.scanner.client.delta import DeltaApplier, DeltaHead
from patches.scanner.client.http_client import BadAnswer, HttpClient, HttpResponse, Unanswered, Unreachable
from patches.scanner.client.patience import OutOfPatience, Patience, seconds_asked
from patches.scanner.client.server_answers import end_document, progress_document, session_document, unchanged_document
from patches.scanner.client.trust import Trust, is_size_signed
from patches.scanner.client.verified_stream import (
    NotVerified,
    Refused,
    ServerAway,
    SessionLost,
    StreamError,
    Unchanged,
    VerifiedStream,
)
from patches.wire import MalformedWire, digest, encode_json, parse_repr_digest

#: How long the server may delay its response while a chunk is not ready (long polling).
WAIT_SECONDS = 20.0
#: How long the end of a session may take, in seconds.
CLOSE_SECONDS = 1.0
_MOST_RESUMES = 8
#: The statuses with which a gateway says that it cannot reach the server (RFC 9110, 15.6.3 and 15.6.5).
_GATEWAY = frozenset({502, 504})
#: The statuses with which an intermediary says that a poll took it too long; 524 is Cloudflare's.
_CUT_OFF = frozenset({408, 504, 524})
#: The shortest poll that an intermediary can have cut off, in seconds, and the part of its time that the next takes.
_LEAST_POLL_SECONDS, _NEXT_POLL = 1.0, 0.8
#: What a server must not change of the description of its list while that is read.
_FIXED = ("revision", "vulnerabilities", "chunks", "bytes", "digest")


class VulnerabilityStream(VerifiedStream):
    """
    One pass over one snapshot of a server.

    :ivar session: the session's token; empty before a session is open.
    :ivar delta: the description of the delta; ``None`` if the server sends the whole list.
    :param server_http: sends requests to the server.
    :param contact: the pauses while a server does not answer at all.
    :param patience: the pauses while there is no progress, after the first answer.
    :param since: the cached list. :exc:`Unchanged` is raised if it is the current one; if the server has the delta from
        its revision, only the delta is fetched and applied to it.
    :param keep: the writer that caches the list if it is verified whole; ``None`` if it is not cached.
    :param trust: the key that must have signed the list; ``None`` if it needs no signature.
    :param wall: returns the time in seconds since the epoch.
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
        wall: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self.platform = self._records_of = platform
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
        self._wall = wall
        self._is_away = False
        self._poll_seconds = WAIT_SECONDS
        self._list_meter = self._sent_meter = SizeMeter("list", Bounds())
        self._deadline: float | None = None

    async def bodies(self) -> AsyncIterator[bytes]:
        """
        Yield the body of each chunk, verified but not decoded; an alternative to iterating over the vulnerabilities.

        :raises Unchanged: if the cached list is the current one.
        :raises StreamError: if the list cannot be read whole and verified.
        """
        try:
            since = {"since": self._since.revision} if self._since is not None else {}
            await self._open({"platform": self.platform, **since})
            async for body in self._whole():
                if self._list_meter is not self._sent_meter:
                    self._list_meter.add(body)
                self._count(body, self._verified if self.delta is None else digest(body))
                if self._keep is not None:
                    self._keep.add(body)
                yield body
            if self.delta is None and self.snapshot.get("chunks", self._arrived) != self._arrived:
                raise NotVerified(f"the list does not match its end: {self._arrived} chunks were received")
            self._verify_end(self._end, self._arrived)
            if self._keep is not None:
                self._keep.commit(self.snapshot)
        except (Unreachable, OutOfPatience) as error:
            raise (ServerAway if self._is_away else StreamError)(str(error)) from error
        except MalformedWire as error:
            raise NotVerified(str(error)) from error

    async def close(self) -> None:
        """
        End the session unless it is complete, so that its cohort need not wait for this scanner; errors are ignored.

        This takes a second at most: a scanner that is stopped does it on its way out. A server that was away when it
        was asked last is not asked.
        """
        session, self.session = self.session, ""
        if session and not self._end and not self._is_away:
            with suppress(Unreachable):
                await self._server_http.ask("DELETE", f"/v1/sessions/{session}", within=CLOSE_SECONDS)

    def _whole(self) -> AsyncIterator[bytes]:
        """Return the chunks of the list: as they are received, or from a delta applied to the cached list."""
        if self.delta is None:
            return self._sent()
        if self._since is None or self.delta.since != self._since.revision:
            raise NotVerified("the server sent the delta of a list that is not cached")
        return DeltaApplier(self._since.lines(), self.delta.cuts).bodies(self._sent())

    async def _sent(self) -> AsyncIterator[bytes]:
        """Yield the bodies of the chunks in the order in which the server sends them."""
        while (body := await self._chunk(self._arrived)) is not None:
            self._arrived += 1
            self._sent_meter.add(body)
            yield body

    async def _ask(self, method: str, path: str, body: bytes | None = None, wait: float = 0) -> HttpResponse:
        """
        Send a request within the time of the pass, and note whether the server is there, and its time.

        :raises Unreachable: if there is no response.
        :raises StreamError: if the time of the pass is over.
        :raises NotVerified: if the response is beyond the limits of any response.
        """
        left = None if self._deadline is None else self._deadline - self._server_http.seconds()
        if left is not None and left <= 0:
            seconds = self._list_meter.bounds.seconds
            raise StreamError(f"the list was not received within {seconds:.0f} s, which is enough for its size")
        try:
            answer = await self._server_http.ask(method, path, body, wait=wait, within=left)
        except BadAnswer as error:
            raise NotVerified(str(error)) from error
        except Unreachable:
            self._is_away = True
            raise
        self._is_away = answer.status in _GATEWAY and answer.error_code is None
        if self.skew is None and answer.date is not None:
            self.skew = answer.date - self._wall()
        return answer

    async def _open(self, request: dict[str, Any]) -> None:
        while True:
            try:
                answer = await self._ask("POST", "/v1/sessions", encode_json(request))
            except Unreachable as error:
                await (self._patience if self.session else self._contact).pause(str(error))
                continue
            if answer.status == 201:
                self._note_session(answer)
                return
            if answer.status == 200 and "since" in request:
                raise Unchanged(self._unchanged(answer), self.skew)
            await self._pause_or_give_up(answer, resuming="resume" in request)

    def _unchanged(self, answer: HttpResponse) -> dict[str, Any]:
        document = unchanged_document(answer)
        snapshot = document.get("snapshot")
        if document.get("unchanged") is not True or not isinstance(snapshot, dict):
            raise NotVerified("the server did not open a session, and did not report that the list is unchanged")
        if self._since is None or snapshot.get("revision") != self._since.revision:
            raise NotVerified("the server reported another list as unchanged")
        self._verify_platform(document)
        self._take_snapshot(snapshot)
        return snapshot

    def _note_session(self, answer: HttpResponse) -> None:
        document = session_document(answer)
        session = document.get("session")
        if not isinstance(session, str) or not session:
            raise NotVerified("the server opened a session without a name")
        self._verify_platform(document)
        self.session = session
        self._note_snapshot(document)
        if "delta" in document:
            self._note_delta(document["delta"])

    def _verify_platform(self, document: dict[str, Any]) -> None:
        if document.get("platform", self.platform) != self.platform:
            raise NotVerified(f"the server sends the list of another platform: {document['platform']!r:.100}")

    def _note_delta(self, described: Any) -> None:
        delta = DeltaHead.from_document(described)
        if self.delta is None:
            self._sent_meter = SizeMeter("delta", Bounds.of_delta(described))
        elif self.delta != delta:
            raise SessionLost("the server continued with another delta")
        self.delta = delta

    def _note_snapshot(self, document: dict[str, Any]) -> None:
        snapshot = document.get("snapshot")
        if isinstance(snapshot, dict):
            if self.snapshot and snapshot.get("revision") != self.snapshot.get("revision"):
                raise SessionLost("the server continued with another snapshot")
            if any(
                snapshot[name] != self.snapshot[name] for name in _FIXED if name in snapshot and name in self.snapshot
            ):
                raise NotVerified("the server changed the description of the list while it was read")
            if not self.snapshot:  # the first one holds: a later one may be signed with the server's next key
                self._take_snapshot(snapshot)

    def _take_snapshot(self, snapshot: dict[str, Any]) -> None:
        if self._trust is not None:
            self._trust.admit(self.platform, snapshot)
        is_signed = self._trust is not None and is_size_signed(snapshot)
        self._list_meter.bounds = Bounds.of_list(snapshot, is_signed)
        self._deadline = self._server_http.seconds() + self._list_meter.bounds.seconds
        self.snapshot = snapshot

    async def _pause_or_give_up(self, answer: HttpResponse, resuming: bool) -> None:
        message = answer.error_message
        if answer.status >= 500 or answer.status == 429:
            await self._patience.pause(message, answer.retry_after)
        elif resuming:
            self.session = ""  # there is none to close
            raise SessionLost(f"the session cannot be resumed: {message}")
        else:
            raise Refused(answer.error_code, message)

    async def _chunk(self, number: int) -> bytes | None:
        """
        Fetch one chunk: wait, retry and resume the session as needed.

        :return: the verified body; ``None`` if the stream is complete.
        """
        path = f"/v1/sessions/{{}}/chunks/{number}"
        while True:
            began = self._server_http.seconds()
            try:
                answer = await self._ask("GET", path.format(self.session), wait=self._poll_seconds)
            except Unanswered as error:
                await self._poll_again(str(error), began)
                continue
            except Unreachable as error:
                await self._patience.pause(str(error))
                continue
            if answer.status == 200:
                return await self._take(answer, number)
            if answer.status == 202:
                await self._wait(answer)
            elif answer.status in _CUT_OFF and answer.error_code is None:
                await self._poll_again(f"a poll was cut off: {answer.error_message}", began)
            elif answer.status in (404, 409, 410):
                await self._resume(answer, number)
            else:
                await self._pause_or_give_up(answer, resuming=False)

    async def _wait(self, answer: HttpResponse) -> None:
        """
        Wait as long as the server asks, because of sessions that are queued before this one or read more slowly.

        Such an answer counts as progress: the server is working, so the time limit starts again.
        """
        self._patience.progress()
        after = seconds_asked(progress_document(answer).get("pollAfter"))
        await self._patience.pause("the server asks to wait", 1.0 if after is None else after)

    async def _poll_again(self, reason: str, began: float) -> None:
        """
        Pause after a poll without the server's answer.

        An intermediary may wait less long than the server: it then answers itself, or closes the connection. If the
        server is there when it is asked, that was a wait like any other, and the next poll is shorter.

        :param began: when the poll began.
        """
        lasted = self._server_http.seconds() - began
        if lasted >= _LEAST_POLL_SECONDS and await self._is_there():
            self._poll_seconds = max(_LEAST_POLL_SECONDS, min(self._poll_seconds, _NEXT_POLL * lasted))
            self._patience.progress()
        await self._patience.pause(reason)

    async def _is_there(self) -> bool:
        """Return whether the server answers, and knows the session."""
        try:
            answer = await self._ask("GET", f"/v1/sessions/{self.session}")
        except Unreachable:
            return False
        return answer.status == 200 and isinstance((answer.document() or {}).get("session"), str)

    async def _resume(self, answer: HttpResponse, number: int) -> None:
        self._resumes += 1
        if self._resumes > _MOST_RESUMES:
            # a server that accepts each resumption and then denies the chunk would keep the scanner busy forever
            raise SessionLost(f"the session was resumed {_MOST_RESUMES} times without progress: {answer.error_message}")
        await self._open({"resume": self.session, "chunk": number})

    async def _take(self, answer: HttpResponse, number: int) -> bytes | None:
        self._patience.progress()
        if not self.snapshot:
            await self._learn_snapshot(number)
        self._resumes = 0
        if (answer.header("Content-Type") or "").startswith("application/json"):
            end = end_document(answer)
            if end.get("finished") is not True:
                raise NotVerified("the end of the stream is malformed")
            self._end = end
            return None
        self._verified = digest(answer.body)
        if self._verified != parse_repr_digest(answer.header("Repr-Digest") or ""):
            raise NotVerified(f"chunk {number} is not the one that the server announced: its digest differs")
        return answer.body

    async def _learn_snapshot(self, number: int) -> None:
        """
        Request the description of the snapshot, which is not known yet if the session was queued at first.

        :param number: the chunk that was received, and is not accepted before its list is described.
        :raises NotVerified: if the server does not describe it.
        """
        while not self.snapshot:
            try:
                answer = await self._ask("GET", f"/v1/sessions/{self.session}")
            except Unreachable as error:
                await self._patience.pause(str(error))
                continue
            if answer.status == 200:
                session = session_document(answer)
                self._note_snapshot(session)
                if not self.snapshot and session.get("state") == "queued":
                    await self._wait(answer)  # it was resumed, and has to wait again
                elif not self.snapshot:
                    raise NotVerified("the server sends a list without describing its snapshot")
            elif answer.status in (404, 409, 410):
                await self._resume(answer, number)
            else:
                await self._pause_or_give_up(answer, resuming=False)
