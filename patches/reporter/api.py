"""The Klein routes of the reporter: version 1 of its HTTP API, and the path of the first Patches."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from klein import Klein
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from patches.interfaces import Run
from patches.reporter.fields import MalformedReport
from patches.reporter.report import BareReport, Report, parse_report
from patches.reporter.store import ReportStore
from patches.wire import JSON, encode_json, error_document
from patches.wording import counted

log = Logger()

#: The most hosts in one page of the list.
MOST_HOSTS = 1000


class UnknownHost(Exception):
    """The host has not sent a report."""


class BadParameter(ValueError):
    """A query parameter is not valid."""


class Api:
    """
    The HTTP resources of a reporter.

    :param run: runs a blocking function in a thread.
    :param now: returns the current time with its UTC offset.
    """

    app = Klein()

    def __init__(self, store: ReportStore, run: Run, now: Callable[[], datetime]) -> None:
        self._store = store
        self._run = run
        self._now = now

    @app.route("/", methods=["POST"])
    @app.route("/v1/reports", methods=["POST"])
    async def accept(self, request: Any) -> bytes:
        """Parse and store a report."""
        peer = str(getattr(request.getClientAddress(), "host", "unknown"))
        received = self._now()
        report = await self._run(parse_report, request.content.read(), peer)
        outcome = await self._run(self._store.accept, report, received)
        log.info(
            "{outcome} report: {host} ({platform}), {kind}, {findings}{note}",
            outcome=outcome.value.capitalize(),
            host=report.host,
            platform=report.platform or "platform unknown",
            kind=_kind(report),
            findings=counted(len(report.findings), "finding"),
            note=_note(report),
        )
        return _answer(request, {"accepted": True, "outcome": outcome.value, "host": report.host})

    @app.route("/v1/hosts", methods=["GET"])
    async def hosts(self, request: IRequest) -> bytes:
        """Return one page of the hosts that have sent a report; ``after`` and ``limit`` select the page."""
        after, limit = _parameter(request, b"after", ""), _parameter(request, b"limit", str(MOST_HOSTS))
        if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:9]) <= MOST_HOSTS):
            raise BadParameter(f"limit must be a number from 1 to {MOST_HOSTS}")
        hosts = await self._run(self._store.hosts, after, int(limit) + 1)
        page = hosts[: int(limit)]
        return _answer(request, {"hosts": page, "next": page[-1]["host"] if len(hosts) > len(page) else None})

    @app.route("/v1/hosts/<host>/findings", methods=["GET"])
    async def findings(self, request: IRequest, host: str) -> bytes:
        """Return the state of a host with its findings."""
        document = await self._run(self._store.findings, host)
        if document is None:
            raise UnknownHost(f"{host} has not reported")
        return _answer(request, document)

    @app.route("/health", methods=["GET"])
    def health(self, request: IRequest) -> bytes:
        """Return the status of the reporter, which is ``ok`` whenever it can answer."""
        return _answer(request, {"status": "ok"})

    # Errors

    @app.handle_errors(HTTPException)
    def refuse(self, request: IRequest, failure: Failure) -> bytes:
        """Return the error of a request that does not match a route, as JSON."""
        error: Any = failure.value
        if isinstance(error, MethodNotAllowed):
            request.setHeader("Allow", ", ".join(sorted(error.valid_methods or ())))
        code = str(error.name).lower().replace(" ", "-")
        return _answer(request, error_document(code, str(error.name)), int(error.code or 500))

    @app.handle_errors(MalformedReport, BadParameter)
    def malformed(self, request: IRequest, failure: Failure) -> bytes:
        """Return the error of a malformed request."""
        return _answer(request, error_document("malformed", str(failure.value)), 400)

    @app.handle_errors(UnknownHost)
    def unknown(self, request: IRequest, failure: Failure) -> bytes:
        """Return the error of a request for an unknown host."""
        return _answer(request, error_document("unknown-host", str(failure.value)), 404)

    @app.handle_errors(Exception)
    def fail(self, request: Any, failure: Failure) -> bytes:
        """Log an unexpected exception, which is a bug, and return an error without details."""
        log.failure("A request failed: {path}", failure=failure, path=request.path)
        return _answer(request, error_document("internal", "internal error"), 500)


def _kind(report: Report | BareReport) -> str:
    if isinstance(report, Report):
        return "complete scan" if report.scan.complete else "incomplete scan"
    return "unverified, by the first scanner"


def _note(report: Report | BareReport) -> str:
    unreadable = report.unreadable if isinstance(report, BareReport) else 0
    return f"; {counted(unreadable, 'record')} could not be read" if unreadable else ""


def _answer(request: IRequest, document: Any, code: int = 200) -> bytes:
    request.setResponseCode(code)
    body = encode_json(document)
    request.setHeader("Content-Type", JSON)
    request.setHeader("Content-Length", str(len(body)))
    return body


def _parameter(request: Any, name: bytes, default: str) -> str:
    values = request.args.get(name)
    return values[-1].decode("utf-8", "replace") if values else default
