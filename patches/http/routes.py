"""
A resource that serves the routes of a Klein application, and leaves no garbage.

Klein's own resource leaves a function for each request that refers to itself, and to the request: some 50 objects that
only the garbage collector can free. If thousands of requests wait, these live so long that only a full collection finds
them, which stops the reactor for 150 ms. This resource does what the daemons need of the other: routes, error handlers,
and an end for the handlers of clients that hang up.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from klein import Klein
from twisted.internet.defer import CancelledError, maybeDeferred
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET
from werkzeug.exceptions import MethodNotAllowed

from patches.http.bounded_request import ASTERISK


class RoutedResource(Resource):
    """
    The routes of an application.

    ``OPTIONS`` is answered for each route, and for the server (``*``); ``Allow`` lists it with the others.

    Handlers return the body, as bytes, or ``None`` if there is none or they have written it.

    :param app: the application, bound to the object whose methods are its handlers.
    """

    isLeaf = True

    def __init__(self, app: Klein) -> None:
        super().__init__()
        self._app = app

    def render(self, request: Any) -> int:
        """Handle a request, whose path must be UTF-8."""
        ended = request.notifyFinish()
        result = maybeDeferred(self._handle, request)
        result.addErrback(self._fail, request)
        result.addCallbacks(_write, _write_nothing, callbackArgs=(request,), errbackArgs=(request,))
        ended.addErrback(lambda _: result.cancel())
        return NOT_DONE_YET

    def _handle(self, request: Any) -> Any:
        method = request.method.decode("utf-8")
        if request.path == ASTERISK:
            return _say_allowed(
                request, {name for rule in self._app.url_map.iter_rules() for name in rule.methods or ()}
            )
        path = b"/" + b"/".join(request.postpath)
        adapter = self._app.url_map.bind("localhost", path_info=path.decode("utf-8"))
        try:  # methods are case-sensitive (RFC 9110 section 9.1), and werkzeug's are not
            endpoint, values = adapter.match(method=method if method == method.upper() else "?")
        except MethodNotAllowed as error:
            if method == "OPTIONS":
                return _say_allowed(request, error.valid_methods or ())
            raise MethodNotAllowed(sorted({*(error.valid_methods or ()), "OPTIONS"})) from None
        return self._app.execute_endpoint(endpoint, request, **values)

    def _fail(self, failure: Failure, request: Any) -> Any:
        """Answer with the first error handler of the application that takes an error; it must answer at once."""
        if failure.check(CancelledError) and request._disconnected:
            return failure
        for kinds, handler in self._app._error_handlers:
            if failure.check(*kinds):
                answer = self._app.execute_error_handler(handler, request, failure)
                _forget_frames(failure)
                return answer
        return failure


def _say_allowed(request: Any, methods: Iterable[str]) -> None:
    """Answer ``OPTIONS`` (RFC 9110 section 9.3.7): the methods of a path, or of the server."""
    request.setResponseCode(204)
    request.setHeader("Allow", ", ".join(sorted({*methods, "OPTIONS"})))


def _write(body: bytes | None, request: Any) -> None:
    if request._disconnected:
        return
    if body is not None:
        request.write(body)
    request.finish()


def _write_nothing(failure: Failure, request: Any) -> None:
    if not request._disconnected:
        request.processingFailed(failure)
    _forget_frames(failure)


def _forget_frames(failure: Failure) -> None:
    """Break the cycle of an error and the frames that it passed, which refer to it and to the request."""
    if failure.value is not None:
        failure.value.with_traceback(None)
