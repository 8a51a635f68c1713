"""Tests for :mod:`patches.http.routes`."""

from __future__ import annotations

import gc
import weakref
from typing import Any

from klein import Klein
from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.server import Site
from werkzeug.exceptions import HTTPException

from patches.http.routes import RoutedResource
from tests.server.memory_transport import Answer, Wire, answers, request


class Application:
    """An application with a handler of each kind."""

    app = Klein()

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.waiting: list[Deferred[bytes]] = []
        self.ended: list[type[BaseException]] = []
        self.handled: list[str] = []

    @app.route("/plain/<name>", methods=["GET"])
    def plain(self, request: Any, name: str) -> bytes:
        """Answer at once."""
        return name.encode("utf-8")

    @app.route("/nothing", methods=["DELETE"])
    def nothing(self, request: Any) -> None:
        """Answer without a body."""
        request.setResponseCode(204)

    @app.route("/later", methods=["GET"])
    async def later(self, request: Any) -> bytes:
        """Answer when a test says so."""
        self.asked.append(request)
        self.waiting.append(Deferred())
        try:
            return await self.waiting[-1]
        except BaseException as error:
            self.ended.append(type(error))
            raise

    @app.handle_errors(HTTPException)
    def refuse(self, request: Any, failure: Any) -> bytes:
        """Answer a request that no route takes."""
        request.setResponseCode(failure.value.code)
        return b"refused"

    @app.handle_errors(KeyError)
    def fail(self, request: Any, failure: Any) -> bytes:
        """Answer a request whose handler failed."""
        self.handled.append(str(failure.value))
        request.setResponseCode(404)
        return b"no such key"


class RoutedResourceTests(SynchronousTestCase):
    """Requests to an application."""

    def setUp(self) -> None:
        self.application = Application()
        self.site = Site(RoutedResource(self.application.app))

    def connect(self) -> Wire:
        """Connect a client."""
        return Wire(self.site.buildProtocol(None))

    def ask(self, method: str, target: str, wire: Wire | None = None) -> Answer:
        """Return the answer to a request."""
        wire = wire or self.connect()
        wire.received = b""
        wire.send(request(method, target))
        (answer,) = answers(wire.received, head_only=method == "HEAD")
        return answer

    def test_answers(self) -> None:
        """A handler's body is the response, with the status that it set."""
        self.assertEqual(self.ask("GET", "/plain/a%20%C3%A9").body, "a é".encode())
        answer = self.ask("DELETE", "/nothing")
        self.assertEqual((answer.status, answer.body), (204, b""))

    def test_head(self) -> None:
        """A request for the head gets no body."""
        answer = self.ask("HEAD", "/plain/x")
        self.assertEqual((answer.status, answer.body), (200, b""))

    def test_options(self) -> None:
        """``OPTIONS`` lists the methods of a route, and is no way to one that there is not."""
        answer = self.ask("OPTIONS", "/plain/x")
        self.assertEqual((answer.status, answer.body, answer.headers["allow"]), (204, b"", "GET, HEAD, OPTIONS"))
        self.assertEqual(self.ask("OPTIONS", "/absent").status, 404)
        self.assertEqual((self.application.asked, self.application.handled), ([], []))

    def test_no_route(self) -> None:
        """A request that no route takes is for the error handlers; the methods count."""
        for method, target, status in (("GET", "/", 404), ("GET", "/plain", 404), ("POST", "/plain/x", 405)):
            answer = self.ask(method, target)
            self.assertEqual((answer.status, answer.body), (status, b"refused"), target)

    def test_later(self) -> None:
        """A handler may wait; several requests of a connection are answered one after another."""
        wire = self.connect()
        wire.send(request("GET", "/later") + request("GET", "/plain/x"))
        self.assertEqual(wire.received, b"")
        self.application.waiting[0].callback(b"late")
        self.assertEqual([answer.body for answer in answers(wire.received)], [b"late", b"x"])

    def test_error(self) -> None:
        """An error of a handler is answered by the first error handler that takes it."""
        wire = self.connect()
        wire.send(request("GET", "/later"))
        self.application.waiting[0].errback(KeyError("k"))
        (answer,) = answers(wire.received)
        self.assertEqual((answer.status, answer.body, self.application.handled), (404, b"no such key", ["'k'"]))

    def test_error_that_nobody_takes(self) -> None:
        """An error without a handler is logged, and answered with 500."""
        wire = self.connect()
        wire.send(request("GET", "/later"))
        self.application.waiting[0].errback(ValueError())
        self.assertEqual(answers(wire.received)[0].status, 500)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_hung_up(self) -> None:
        """The handler of a client that hangs up is cancelled; no error handler is asked."""
        wire = self.connect()
        wire.send(request("GET", "/later"))
        wire.hang_up()
        self.assertEqual((self.application.ended, self.application.handled), ([CancelledError], []))

    def test_no_garbage(self) -> None:
        """A request that was answered, with or without an error, is freed without the garbage collector."""
        gc.disable()
        self.addCleanup(gc.enable)
        wire = self.connect()
        for end in (lambda waiting: waiting.callback(b"late"), lambda waiting: waiting.errback(KeyError("k"))):
            wire.send(request("GET", "/later"))
            asked = weakref.ref(self.application.asked.pop())
            end(self.application.waiting.pop())
            self.assertIsNone(asked())
