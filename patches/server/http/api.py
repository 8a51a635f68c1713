"""The server's HTTP API, version 1, and the protocol of the first Patches scanner: Klein routes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from klein import Klein
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import BaseConverter

from patches.http.validators import names, weak_tag
from patches.server.catalogue.availability.watch import CatalogueWatch
from patches.server.catalogue.delta import ReadableList
from patches.server.catalogue.deltas import Deltas
from patches.server.errors import CatalogueAway, OutOfOrder, SessionExpired
from patches.server.http.chunk_transport import IChunkTransport
from patches.server.http.client_addresses import ClientAddresses
from patches.server.http.errors import ApiError, accepts_gzip, api_error, json_object, json_response, text_member
from patches.server.http.metrics import Metrics
from patches.server.http.openapi import openapi_document
from patches.server.http.plain_chunks import PlainChunks
from patches.server.http.representations import (
    DescribeSnapshot,
    finished_document,
    platform_document,
    platforms_document,
    progress_document,
    ready_document,
    session_document,
    snapshot_document,
    unchanged_document,
)
from patches.server.http.response_memory import grant_response
from patches.server.http.vulnerabilities import VulnerabilityLookup
from patches.server.http.vulns import VulnsRoute
from patches.server.refresh.refresher import Refresher
from patches.server.sessions.chunk_response import ChunkResponse, chunk_headers, uncompressed
from patches.server.sessions.service import SessionService
from patches.server.sessions.session import Session
from patches.server.sessions.sessions import Wait
from patches.service.budget import Budget
from patches.wire import error_document, is_whole, prefer_wait

log = Logger()

#: The longest wait of a request, in seconds; always shorter than the session time-out.
MAX_WAIT_SECONDS = 25.0


class Number(BaseConverter):
    """A number in a path, in the one form that it has: ASCII digits, no sign, no leading zero; nine digits at most."""

    regex = "(?:0|[1-9][0-9]{0,8})"

    def to_python(self, value: str) -> int:
        """Return the value."""
        return int(value)


class Api:
    """
    The resources of a server.

    :param addresses: tells where requests come from.
    :param wall: returns the time in seconds since the epoch.
    :param describe: converts a snapshot to its JSON document.
    :param watch: tells whether the catalogue can be read.
    :param vulns: answers the first Patches scanner.
    """

    app = Klein()
    app.url_map.converters["number"] = Number
    app.url_map.merge_slashes = False  # a path with doubled slashes is 404, not a redirect

    def __init__(
        self,
        session_service: SessionService,
        refresh: Refresher,
        deltas: Deltas,
        budget: Budget,
        metrics: Metrics,
        addresses: ClientAddresses,
        wall: Callable[[], float],
        describe: DescribeSnapshot = snapshot_document,
        *,
        watch: CatalogueWatch,
        vulnerabilities: VulnerabilityLookup,
        vulns: VulnsRoute,
    ) -> None:
        self._session_service = session_service
        self._refresh = refresh
        self._deltas = deltas
        self._budget = budget
        self._metrics = metrics
        self._addresses = addresses
        self._wall = wall
        self._describe = describe
        self._vulnerabilities = vulnerabilities
        self._vulns = vulns
        self._watch = watch
        self._plain_chunks = PlainChunks(budget)

    # Sessions

    @app.route("/v1/sessions", methods=["POST"])
    async def open(self, request: IRequest) -> bytes:
        """Open a session, or resume one."""
        body = json_object(request)
        if "resume" in body:
            session = await self._resume(request, text_member(body, "resume"), body.get("chunk"))
        elif "platform" in body:
            platform, since = text_member(body, "platform"), text_member(body, "since", is_needed=False)
            snapshot = self._refresh.registry.current(platform)
            if since == snapshot.revision:
                return json_response(request, unchanged_document(snapshot, self._describe))
            reads = self._readable(self._deltas.find(since, snapshot), snapshot)
            session = self._session_service.open(reads, self._addresses.owner(request))
        else:
            raise ApiError(400, "malformed", 'the body must be {"platform": "…"} or {"resume": "…", "chunk": 0}')
        request.setHeader("Location", f"/v1/sessions/{session.token}")
        return self._session(request, session, 201)

    @app.route("/v1/sessions/<token>", methods=["GET"])
    async def wait(self, request: IRequest, token: str) -> bytes:
        """Describe a session, once it is no longer queued or the wait ends; this is a sign of life."""
        session = await self._session_service.until_active(token, self._wait(request))
        return self._session(request, session, 200)

    @app.route("/v1/sessions/<token>", methods=["DELETE"])
    def close(self, request: IRequest, token: str) -> None:
        """Close a session."""
        self._session_service.close(token)
        request.setResponseCode(204)

    @app.route("/v1/sessions/<token>/chunks/<number:n>", methods=["GET"])
    async def chunk(self, request: IRequest, token: str, n: int) -> bytes | None:
        """Serve a chunk, the end of the stream, or the advice to wait."""
        result = await self._session_service.read(token, n, self._wait(request))
        if isinstance(result, Wait):
            progress = progress_document(self._session_service.touch(token), self._session_service)
            request.setHeader("Retry-After", str(max(1, round(progress["pollAfter"]))))
            return json_response(request, progress, 202)
        if result is None:
            return json_response(request, finished_document(self._session_service.touch(token).snapshot))
        return self._send(request, result)

    async def _resume(self, request: IRequest, token: str, chunk: Any) -> Session:
        if isinstance(chunk, float) and chunk.is_integer():
            chunk = int(chunk)  # JSON does not tell 1.0 from 1
        if not is_whole(chunk):
            raise ApiError(400, "malformed", '"chunk" must be a whole number')
        revision = self._session_service.revision_of(token)
        try:
            reads = await self._refresh.registry.find(revision) or await self._deltas.named(revision)
        except CatalogueAway:
            reads = self._session_service.find_held(revision, chunk)
            if reads is None:
                raise
        if reads is None:
            raise SessionExpired("its snapshot is no longer in the catalogue")
        if not 0 <= chunk <= reads.chunks:
            raise OutOfOrder(chunk, reads.chunks)
        return self._session_service.resume(token, reads, chunk, self._addresses.owner(request))

    def _readable(self, delta: ReadableList | None, snapshot: ReadableList) -> ReadableList:
        """
        Return the list for a new session: the delta, if there is one; while the catalogue is away, one in memory.

        :raises CatalogueAway: if neither can be read.
        """
        if self._watch.problem is None:
            return delta or snapshot
        for each in (delta, snapshot):
            if each is not None and self._session_service.find_held(each.revision) is not None:
                return each
        raise CatalogueAway(self._watch.problem)

    def _wait(self, request: IRequest) -> float:
        """Return the seconds that a request prefers to wait, within a limit."""
        limits = self._session_service.limits
        longest = min(MAX_WAIT_SECONDS, 0.6 * limits.session_timeout, 0.6 * limits.queue_timeout)
        return min(prefer_wait(request.getHeader("Prefer") or ""), longest)

    # Responses

    def _session(self, request: IRequest, session: Session, code: int) -> bytes:
        return json_response(request, session_document(session, self._session_service, self._describe), code)

    def _send(self, request: Any, loaded: ChunkResponse) -> bytes | None:
        wants_gzip = accepts_gzip(request)
        transport = IChunkTransport(request.channel, None)
        if transport is not None and request.method == b"GET":
            with nullcontext(loaded) if wants_gzip else self._plain_chunks.response_of(loaded) as response:
                request.startedWriting = 1  # the bytes have their own head: twisted.web must not write another
                transport.write_chunk(response)
            return None
        response = loaded if wants_gzip else uncompressed(loaded)
        body = response.encoded
        for name, value in chunk_headers(loaded.digest, b"gzip" if wants_gzip else b"", body):
            request.setHeader(name, value)
        return self._granted(request, body)

    def _granted(self, request: IRequest, body: bytes) -> bytes:
        """Return a body that grows with what the server has, once its bytes are granted."""
        grant_response(self._budget, request, len(body))
        return body

    def _granted_json(self, request: IRequest, document: object, code: int = 200) -> bytes:
        """Return a document that grows with what the server has, once its bytes are granted."""
        return self._granted(request, json_response(request, document, code))

    # Platforms, health and metrics

    @app.route("/v1/platforms", methods=["GET"])
    def platforms(self, request: IRequest) -> bytes:
        """List the platforms that are served."""
        refresh = self._refresh
        document = platforms_document(refresh.statuses, refresh.left_out, self._wall(), self._describe)
        return self._granted_json(request, document)

    @app.route("/v1/platforms/<platform>", methods=["GET"])
    def platform(self, request: IRequest, platform: str) -> bytes | None:
        """Describe a platform that is served; the head alone if its list is the one that the client knows."""
        snapshot = self._refresh.registry.current(platform)
        request.setHeader("ETag", weak_tag(snapshot.revision))
        request.setHeader("Cache-Control", "no-cache")  # whatever keeps the answer asks whether it is true still
        if names(request.getHeader("If-None-Match"), snapshot.revision):
            request.setResponseCode(304)
            return None
        status = self._refresh.statuses[platform]
        return json_response(request, platform_document(platform, status, self._wall(), self._describe))

    @app.route("/v1/vulnerabilities/<path:vulnerability_id>", methods=["GET"])
    async def vulnerability(self, request: IRequest, vulnerability_id: str) -> bytes:
        """Describe the publications of a vulnerability id, by platform."""
        document = await self._vulnerabilities.document(vulnerability_id)
        return self._granted_json(request, document)

    @app.route("/health", methods=["GET"])
    def health(self, request: IRequest) -> bytes:
        """Report that the server runs."""
        return json_response(request, {"status": "ok"})

    @app.route("/ready", methods=["GET"])
    def ready(self, request: Any) -> bytes:
        """Report whether a list can be served: of one platform, or any."""
        registry = self._refresh.registry
        asked = [value.decode("utf-8", "replace") for value in request.args.get(b"platform", [])]
        is_ready = registry.is_ready(asked[-1]) if asked else registry.ready
        statuses = {name: each for name, each in registry.statuses.items() if not asked or name == asked[-1]}
        problem = registry.problem if not asked or not is_ready else None
        if self._watch.problem is not None:
            is_ready, problem = False, f"the catalogue cannot be used: {self._watch.problem}"
        document = ready_document(statuses, is_ready, problem)
        return self._granted_json(request, document, 200 if is_ready else 503)

    @app.route("/metrics", methods=["GET"])
    def metrics(self, request: IRequest) -> bytes:
        """Return the metrics in Prometheus' text format."""
        request.setHeader("Content-Type", self._metrics.content_type)
        return self._granted(request, self._metrics.render())

    @app.route("/openapi.json", methods=["GET"])
    def openapi(self, request: IRequest) -> bytes:
        """Return the OpenAPI document."""
        return self._granted_json(request, openapi_document())

    # The protocol of the first Patches scanner

    @app.route("/vulns", methods=["GET"])
    async def vulns(self, request: IRequest) -> bytes:
        """Return the next slice of a list, as the first Patches server did."""
        return await self._vulns.respond(request)

    # Errors

    @app.handle_errors(HTTPException)
    def refuse(self, request: IRequest, failure: Failure) -> bytes:
        """Answer a request that no route takes."""
        error: Any = failure.value
        code, name = int(error.code or 500), str(error.name).lower().replace(" ", "-")
        if isinstance(error, MethodNotAllowed):
            request.setHeader("Allow", ", ".join(sorted(error.valid_methods or ())))
        return json_response(request, error_document(name, str(error.name)), code)

    @app.handle_errors(Exception)
    def fail(self, request: IRequest, failure: Failure) -> bytes:
        """Convert an error to a response."""
        error: Any = failure.value
        problem = api_error(error)
        if problem is None:
            log.failure("A request failed: {path}", failure=failure, path=request.path)
            problem = ApiError(500, "internal", "internal error")
        problem.apply_to(request)
        return json_response(request, error_document(problem.code, problem.message))
