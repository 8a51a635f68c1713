"""The Klein routes of the reporter: version 1 of its HTTP API, and the path of the first Patches."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from functools import partial
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO

from klein import Klein
from twisted.internet.defer import DeferredSemaphore
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from patches.interfaces import Run
from patches.reporter.fields import MalformedReport
from patches.reporter.file_producer import FileProducer
from patches.reporter.report import BareReport, Report, parse_report
from patches.reporter.schema import StoreError
from patches.reporter.spool import address_of
from patches.reporter.store import Acceptance, ReportStore
from patches.reporter.unpacked import UnpackedBody
from patches.service.log.trouble_log import TroubleLog
from patches.wire import JSON, encode_json, error_document
from patches.wording import counted, file_problem, one_line

log = Logger()

#: The most hosts in one page of the list.
MOST_HOSTS = 1000
#: The most lists of findings that are sent at once, each from a file.
MOST_ANSWERS = 32
#: The reports that are read at once; others wait on the disk.
_READ_AT_ONCE = 2


class UnknownHost(Exception):
    """The host has not sent a report."""


class Busy(Exception):
    """There is no room for the request now."""


class UnknownCoding(ValueError):
    """The body of a request has a coding that is not supported."""


class BadParameter(ValueError):
    """A query parameter is not valid."""


class Api:
    """
    The HTTP resources of a reporter.

    :param run: runs a blocking function in a thread.
    :param now: returns the current time with its UTC offset.
    :param folder: of temporary files; ``None``: that of the system.
    :param most_unpacked: the longest report, in bytes, of those that are sent compressed.
    """

    app = Klein()

    def __init__(
        self,
        store: ReportStore,
        run: Run,
        now: Callable[[], datetime],
        folder: Path | None = None,
        most_unpacked: int = 256 * 2**20,
    ) -> None:
        self._most_unpacked = most_unpacked
        self._file: Callable[[], Any] = partial(TemporaryFile, dir=folder)
        # What a report has in memory while it is read is bounded, but not nothing.
        self._slots = DeferredSemaphore(_READ_AT_ONCE)
        self._answers = 0
        self._store = store
        self._run = run
        self._now = now
        self._storage = TroubleLog("Reports cannot be stored or read", "Reports can be stored again")

    @app.route("/", methods=["POST"])
    @app.route("/v1/reports", methods=["POST"])
    async def accept(self, request: Any) -> bytes:
        """Parse and store a report."""
        received = self._now()
        # The request would close its body while a thread reads it, if its client hangs up.
        content, request.content = self._body(request), BytesIO()
        async with self._slots:
            report, outcome = await self._run(self._accept, content, address_of(request), received)
        self._storage.end()
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

    def _body(self, request: Any) -> Any:
        """Return the file of a report, unpacked as it is read."""
        coding = (request.getHeader("Content-Encoding") or "identity").strip().lower()
        if coding not in ("identity", "gzip", "x-gzip"):
            raise UnknownCoding(f"the only coding of a body is gzip, not {coding[:40]}")
        return request.content if coding == "identity" else UnpackedBody(request.content, self._most_unpacked)

    def _accept(self, content: Any, peer: str, received: datetime) -> tuple[Report | BareReport, Acceptance]:
        with closing(content):
            report = parse_report(content, peer)
            return report, self._store.accept(report, received)

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
    async def findings(self, request: Any, host: str) -> None:
        """Return the state of a host with its findings, which are read from a file as fast as the client takes them."""
        if self._answers >= MOST_ANSWERS:
            raise Busy("too many lists of findings are being sent")
        self._answers += 1
        try:
            with self._file() as file:
                if not await self._run(self._store.write_findings, host, file):
                    raise UnknownHost(f"{host} has not reported")
                await _send(request, file)
        finally:
            self._answers -= 1

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

    @app.handle_errors(UnknownCoding)
    def unknown_coding(self, request: IRequest, failure: Failure) -> bytes:
        """Return the error of a body that cannot be unpacked."""
        request.setHeader("Accept-Encoding", "gzip")
        return _answer(request, error_document("unsupported-coding", str(failure.value)), 415)

    @app.handle_errors(Busy)
    def busy(self, request: IRequest, failure: Failure) -> bytes:
        """Return the error of a request for which there is no room now."""
        request.setHeader("Retry-After", "5")
        return _answer(request, error_document("busy", str(failure.value)), 503)

    @app.handle_errors(StoreError, OSError, MemoryError)
    def not_stored(self, request: IRequest, failure: Failure) -> bytes:
        """Return the error of a disk that is full or broken, or of too little memory; the report is sent again."""
        error: Any = failure.value
        why = file_problem(error) if isinstance(error, OSError) else str(error) or one_line(error)
        self._storage.begin(why)
        request.setHeader("Retry-After", "10")
        return _answer(request, error_document("storage", "the reports cannot be stored or read at the moment"), 503)

    @app.handle_errors(UnknownHost)
    def unknown(self, request: IRequest, failure: Failure) -> bytes:
        """Return the error of a request for an unknown host."""
        return _answer(request, error_document("unknown-host", str(failure.value)), 404)

    @app.handle_errors(Exception)
    def fail(self, request: Any, failure: Failure) -> bytes:
        """Log an unexpected exception, which is a bug, and return an error without details."""
        log.failure("A request failed: {path}", failure=failure, path=request.path)
        return _answer(request, error_document("internal", "internal error"), 500)


async def _send(request: Any, file: BinaryIO) -> None:
    """Send a file of JSON."""
    request.setHeader("Content-Type", JSON)
    request.setHeader("Content-Length", str(file.tell()))
    file.seek(0)
    await FileProducer(file, request).start()


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
