"""Tests for :mod:`patches.scanner.client.server_answers`, alone and within a stream."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import ensureDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.client.client import PatchesClient
from patches.scanner.client.http_client import HttpResponse
from patches.scanner.client.server_answers import end_document, progress_document, session_document, unchanged_document
from patches.scanner.client.verified_stream import NotVerified
from tests.scanner.scripted_client import Canned, CannedHTTP, document

#: Values of JSON that are no count; the names are those of members that must be one.
NO_COUNTS = ("true", "false", "-1", "1.0", "1.5", "1e3", "1" + "0" * 400, '"1"', "[]", "{}", "9007199254740993")
SNAPSHOT = {"revision": "r", "created": "c", "checked": "c", "digest": "d", "vulnerabilities": 1, "chunks": 1}
SNAPSHOT |= {"bytes": 10, "unread": 0, "publication": 1, "empty": True}
SESSION = {"session": "s", "platform": "p", "state": "active", "queuePosition": 1, "chunk": 0, "snapshot": SNAPSHOT}
SESSION |= {"delta": {"since": "r", "changes": 1, "chunks": 1, "cuts": [1]}}
END = {"finished": True, "chunks": 1, "vulnerabilities": 1, "unread": 0, "digest": "d", "revision": "r"}
READERS: tuple[tuple[Callable[[HttpResponse], dict[str, Any]], dict[str, Any]], ...] = (
    (session_document, SESSION),
    (unchanged_document, {"unchanged": True, "platform": "p", "snapshot": SNAPSHOT}),
    (end_document, END),
    (progress_document, {"state": "queued", "queuePosition": 0}),
)


def places(value: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """Return the members of an object, of all depths, each with its names."""
    found = []
    for name, member in value.items():
        found.append(((*path, name), member))
        if isinstance(member, dict):
            found += places(member, (*path, name))
    return found


def changed(value: dict[str, Any], path: tuple[str, ...], text: str) -> bytes:
    """Return an object with the text of another value at one place."""
    copy = json.loads(json.dumps(value))
    inner = copy
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = "HERE"
    return json.dumps(copy).replace('"HERE"', text).encode()


class DocumentTests(SynchronousTestCase):
    """Documents that a server sends in place of those that it should."""

    def test_well_formed(self) -> None:
        """Every document is taken with all members, with none, and with unknown ones."""
        for read, whole in READERS:
            for value in (whole, {}, {"unknown": {"a": [1.5]}}):
                self.assertEqual(read(self.answer(json.dumps(value).encode())), value)

    def answer(self, body: bytes) -> HttpResponse:
        """Return a response."""
        return HttpResponse(200, Canned(200).headers, body)

    def test_wrong_types(self) -> None:
        """A member of a wrong type or out of range is refused, in one short line that names it, at any depth."""
        tried = 0
        for read, whole in READERS:
            for path, value in places(whole):
                if path[-1] == "cuts":
                    continue  # of the delta, which reads them itself
                counts = NO_COUNTS if type(value) is int else ()
                others = ("7", "[1]") if not isinstance(value, int) or isinstance(value, bool) else ()
                for text in (*counts, *others):
                    body = changed(whole, path, text)
                    error = self.assertRaises(NotVerified, read, self.answer(body))
                    self.assertIn(f"is malformed: {path[-1]} is not", str(error))
                    self.assertLess(len(str(error)), 120)
                    tried += 1
        self.assertGreater(tried, 200)

    def test_no_object(self) -> None:
        """A body that is no JSON object, or has a member twice, is refused; a wait needs no document."""
        for read, _ in READERS:
            for body in (b"", b"[]", b"{", b'{"a": NaN}', b'{"a": 1, "a": 1}', b'{"a": {"b": 1, "b": 1}}'):
                if read is progress_document:
                    self.assertEqual(read(self.answer(body)), {})
                else:
                    self.assertRaises(NotVerified, read, self.answer(body))

    def test_stream(self) -> None:
        """A stream ends with the first document that is malformed, wherever it is."""
        opened = document(201, {"session": "s1", "state": "active", "snapshot": {"revision": "r1"}})
        for answers in (
            [Canned(201, changed(SESSION, ("chunk",), "true"))],
            [Canned(201, changed(SESSION, ("snapshot", "unread"), "-1"))],
            [Canned(201, b'{"session": "s1", "session": "s2"}')],
            [Canned(201, b'{"session": "\\u202e\\ud800"}')],
            [Canned(201, b'{"session": "../../v1/platforms?"}')],
            [Canned(201, b'{"session": ""}')],
            [opened, Canned(202, b'{"queuePosition": true}')],
            [opened, Canned(200, changed(END, ("unread",), "1" + "0" * 400), {"Content-Type": "application/json"})],
            [opened, Canned(200, b'{"finished": true, "finished": true}', {"Content-Type": "application/json"})],
        ):
            stream = PatchesClient(CannedHTTP(*answers), "http://server", Clock()).stream("p")

            async def read(stream: Any = stream) -> None:
                async for _ in stream:
                    pass

            error = self.failureResultOf(ensureDeferred(read()), NotVerified).value
            self.assertIn("malformed", str(error))
            self.assertEqual(len(str(error).splitlines()), 1)
