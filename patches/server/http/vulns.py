"""
The protocol of the first Patches scanner: ``GET /vulns`` opens a session; each request returns a slice of the list.

The first scanner stops at any response with an ``error``, as if it had read everything. So a session that is open gets
an error only if it has ended. What passes, a lack of memory or a database that is away, is an empty slice: the scanner
asks again.
"""

from __future__ import annotations

from typing import Any

from patches.server.errors import CatalogueError, ChunkMissing, Damaged, Denied, UnknownSession
from patches.server.first_scanner.service import FirstScannerService
from patches.server.first_scanner.slice_sessions import LONGEST_SEQUENCE
from patches.server.http.client_addresses import ClientAddresses
from patches.server.http.errors import ApiError, api_error, json_response
from patches.server.http.response_memory import grant_response
from patches.server.refresh.platforms import PlatformRegistry
from patches.service.budget import Budget
from patches.wire import JSON, encode_json


class VulnsRoute:
    """
    Answers the requests of first scanners.

    :param registry: has the current snapshots, and finds others.
    :param addresses: tells where requests come from.
    """

    def __init__(
        self, service: FirstScannerService, registry: PlatformRegistry, budget: Budget, addresses: ClientAddresses
    ) -> None:
        self._service = service
        self._registry = registry
        self._budget = budget
        self._addresses = addresses

    async def respond(self, request: Any) -> bytes:
        """Return a slice, or an error in the form that a first scanner reads."""
        try:
            return await self._respond(request)
        except Exception as error:
            problem = api_error(error)
            if problem is None:
                raise
            problem.apply_to(request)
            return json_response(request, {"error": problem.message, "requestID": None, "finished": False, "vulns": []})

    async def _respond(self, request: Any) -> bytes:
        if request.method == b"HEAD":  # it would take a slice, and nobody would receive it
            request.setHeader("Allow", "GET")
            raise ApiError(405, "method-not-allowed", "a slice can only be requested with GET")
        asked = {name: values[-1].decode("utf-8", "replace") for name, values in request.args.items()}
        sequence = asked.get(b"sequence")
        if sequence is not None and len(sequence) > LONGEST_SEQUENCE:
            raise ApiError(400, "malformed", f"sequence has more than {LONGEST_SEQUENCE} characters")
        if b"requestID" in asked:
            return await self._continue(request, asked[b"requestID"], sequence)
        if b"platform" in asked:
            return await self._open(request, asked[b"platform"], sequence)
        raise ApiError(400, "malformed", "the platform parameter is missing")

    async def _open(self, request: Any, platform: str, sequence: str | None) -> bytes:
        token = self._service.open(self._registry.current(platform), self._addresses.owner(request))
        try:
            return await self._slice(request, token, sequence)
        except Exception:  # its scanner does not know the session
            self._service.close(token)
            raise

    async def _continue(self, request: Any, token: str, sequence: str | None) -> bytes:
        try:
            return await self._found(request, token, sequence)
        except CatalogueError as error:
            if isinstance(error, ChunkMissing | Damaged):
                raise
        except Denied as denial:
            if denial.code != "memory-limit":
                raise
        return _page(request, token, (), finished=False)

    async def _found(self, request: Any, token: str, sequence: str | None) -> bytes:
        try:
            return await self._slice(request, token, sequence)
        except UnknownSession:
            if sequence is not None:  # its scanner counts: it must know
                raise
        await self._service.reopen(token, self._registry.find, self._addresses.owner(request))
        return await self._slice(request, token, sequence)

    async def _slice(self, request: Any, token: str, sequence: str | None) -> bytes:
        found = await self._service.read(token, sequence)
        if found is None:
            return _page(request, token, (), finished=False)
        body = _page(request, token, found.lines, finished=not found.lines)
        grant_response(self._budget, request, len(body))
        self._service.serve(token, found, sequence)
        return body


def _page(request: Any, token: str, lines: tuple[bytes, ...], *, finished: bool) -> bytes:
    request.setHeader("Content-Type", JSON)
    head = encode_json({"error": None, "requestID": token, "finished": finished})
    return head[:-1] + b',"vulns":[' + b",".join(lines) + b"]}"
