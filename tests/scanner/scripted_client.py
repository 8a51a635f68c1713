"""A treq client with scripted responses: everything that a server can send, and its failures, in order."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from attrs import define, field, frozen
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from twisted.web.http_headers import Headers

from patches.wire import StreamDigest, digest, repr_digest


@define(eq=False)
class Canned:
    """One response; a ``body_failure`` truncates it."""

    code: int
    body: bytes = b""
    fields: Mapping[str, str] = field(factory=dict)
    body_failure: BaseException | None = None

    @property
    def headers(self) -> Headers:
        """The header fields."""
        return Headers({name: [value] for name, value in self.fields.items()})

    def deliverBody(self, protocol: Protocol) -> None:
        """Deliver the whole body."""
        protocol.dataReceived(self.body)
        protocol.connectionLost(Failure(self.body_failure or ResponseDone()))


@frozen
class Asked:
    """
    A request that was made.

    :ivar kind: the type of what treq was given as the body.
    """

    method: str
    url: str
    body: bytes | None
    fields: Mapping[str, str]
    kind: type

    @property
    def document(self) -> Any:
        """Its JSON body."""
        return json.loads(self.body or b"null")


class CannedHTTP:
    """
    A client that answers requests from a list; the end of a session is always acknowledged.

    :ivar asked: the requests so far.
    :ivar answers: the next answers: each a response, an exception, or a function that returns either for a request.
    """

    def __init__(self, *answers: Canned | BaseException | Callable[[Asked], Canned | BaseException]) -> None:
        self.asked: list[Asked] = []
        self.answers = list(answers)

    def request(
        self, method: str, url: str, data: bytes | None, headers: dict[str, str], **options: Any
    ) -> Deferred[Any]:
        """Answer with the next response; never answer once the list is empty."""
        body = data if data is None or isinstance(data, bytes) else data.read()
        asked = Asked(method, url, body, headers, type(data))
        self.asked.append(asked)
        if method == "DELETE":
            return succeed(Canned(204))
        if not self.answers:
            return Deferred()
        answer = self.answers.pop(0)
        if not isinstance(answer, Canned | BaseException):
            answer = answer(asked)
        return fail(answer) if isinstance(answer, BaseException) else succeed(answer)


REFUSED = ConnectionRefusedError(111)


def document(code: int, value: Any, **fields: str) -> Canned:
    """Answer with a JSON document; underscores in the names of header fields become hyphens."""
    named = {name.replace("_", "-"): text for name, text in fields.items()}
    return Canned(code, json.dumps(value).encode(), {"Content-Type": "application/json", **named})


def error(code: int, word: str, **fields: str) -> Canned:
    """Answer with an error document."""
    return document(code, {"error": {"code": word, "message": f"it is {word}"}}, **fields)


def session(
    state: str = "active", token: str = "s1", revision: str = "r1", snapshot: dict[str, Any] | None = None
) -> Canned:
    """Answer that a session is open."""
    told = {"snapshot": snapshot or {"revision": revision}} if state == "active" else {}
    return document(201, {"session": token, "state": state, **told})


def chunk(body: bytes, announced: bytes | None = None) -> Canned:
    """Answer with a chunk; ``announced`` replaces its true digest."""
    fields = {"Content-Type": "application/x-ndjson", "Repr-Digest": repr_digest(announced or digest(body))}
    return Canned(200, body, fields)


def end(*bodies: bytes, **changes: Any) -> Canned:
    """Answer that the stream of these chunks is finished."""
    stream = StreamDigest()
    for body in bodies:
        stream.add(digest(body))
    said = {
        "finished": True,
        "chunks": len(bodies),
        "vulnerabilities": sum(body.count(b"\n") for body in bodies),
        "digest": stream.hexdigest(),
        "revision": "r1",
    }
    return document(200, {**said, **changes})
