"""The checks of the servers of this host: the patches-server, its list of the platform, the clocks, the reporter."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from attrs import frozen

from patches.scanner.client.http_client import HttpClient, HttpResponse, Unreachable
from patches.scanner.doctor.check import OK, PROBLEM, WARNING, Check
from patches.scanner.list_origin import MOST_PROBE_BYTES, probe
from patches.scanner.lists.kept import age_text
from patches.scanner.options import DEFAULT_SERVER
from patches.scanner.scan import MOST_SKEW
from patches.wire import is_number

#: From how many seconds on a difference of the clocks is told.
_ODD_SKEW = 30.0
#: The longest time of a request, in seconds.
_SECONDS = 5.0


@frozen
class ServerDoctor:
    """
    The checks of servers.

    :ivar http: a treq client.
    :ivar server: the URL of the server; ``None``: none is named.
    :ivar reporter: the URL of the reporter API; ``None``: none is named.
    :ivar platform: that of the host; ``None``: it is not known.
    """

    http: Any
    clock: Any
    server: str | None
    reporter: str | None
    platform: str | None
    wall: Callable[[], float] = time.time

    async def checks(self) -> AsyncIterator[Check]:
        """Yield the checks, each as soon as it is made."""
        client = HttpClient(self.http, self.server or DEFAULT_SERVER, self.clock, MOST_PROBE_BYTES)
        if self.server is None and (problem := await probe(client)) != "":
            if problem is None:
                text = f"none is named, and nobody listens at {DEFAULT_SERVER}: scans read the public feed"
                yield Check("server", OK, text)
            else:
                yield Check("server", PROBLEM, problem, "name a server, or use --standalone")
        else:
            async for check in self._server(client):
                yield check
        if self.reporter is not None:
            yield await self._reporter(self.reporter)

    async def _server(self, client: HttpClient) -> AsyncIterator[Check]:
        try:
            answer = await client.ask("GET", "/v1/platforms", within=_SECONDS)
            ready = (await client.ask("GET", "/ready", within=_SECONDS)).document() or {}
            described = (await client.ask("GET", "/openapi.json", within=_SECONDS)).document() or {}
        except Unreachable as error:
            yield Check("server", PROBLEM, str(error), "see that it runs, and --patches-server, --proxy and --ca")
            return
        document = answer.document()
        listed = document.get("platforms") if document is not None else None
        if not isinstance(listed, list):
            text = f"{client.base_url} is no patches-server, or cannot answer: {answer.error_message}"
            yield Check("server", PROBLEM, text, "see --patches-server")
            return
        yield self._running(client.base_url, described, ready)
        if client.base_url.startswith("https://"):
            yield Check("TLS", OK, f"the certificate of {client.base_url} is trusted")
        yield self._skew(answer)
        if self.platform is not None:
            yield self._list(self.platform, [each for each in listed if isinstance(each, dict)])

    def _running(self, url: str, described: Mapping[str, Any], ready: Mapping[str, Any]) -> Check:
        info = described.get("info")
        version = info.get("version") if isinstance(info, dict) else None
        told = f"{url} is a patches-server" + (f", version {version}" if isinstance(version, str) else "")
        problem = ready.get("problem")
        if ready.get("ready") is not True:
            why = f": {problem}" if isinstance(problem, str) else ""
            return Check("server", PROBLEM, f"{told}, but has no list yet{why}", "see its log")
        if isinstance(problem, str):
            return Check("server", WARNING, f"{told}; one of its sources has a problem: {problem}", "see its log")
        return Check("server", OK, told)

    def _skew(self, answer: HttpResponse) -> Check:
        if answer.date is None:
            return Check("clock", WARNING, "the server does not say what time it is")
        skew = answer.date - self.wall()
        text = f"the server's clock is {age_text(abs(skew))} {'ahead of' if skew > 0 else 'behind'} this host's"
        if abs(skew) > _ODD_SKEW:
            state = PROBLEM if abs(skew) > MOST_SKEW else WARNING
            return Check("clock", state, text, "set the clock that is wrong: the ages of lists depend on it")
        return Check("clock", OK, "that of the server and that of this host agree")

    def _list(self, platform: str, listed: list[dict[str, Any]]) -> Check:
        name = f"the server's list of {platform}"
        found = next((each for each in listed if each.get("platform") == platform), None)
        if found is None:
            return Check(name, WARNING, "it has none", "a scan requests it; add a source of it if it stays so")
        refresh = found.get("refresh")
        troubles = refresh if isinstance(refresh, dict) else {}
        why = next((each for key in ("damage", "alarm", "error") if isinstance(each := troubles.get(key), str)), None)
        age = found.get("ageSeconds")
        told = f"checked {age_text(age)} ago" if is_number(age) else "not read yet"
        if why is not None:
            return Check(name, WARNING, f"{told}; {why}", "see the log of the server")
        return Check(name, OK if is_number(age) else WARNING, told)

    async def _reporter(self, url: str) -> Check:
        client = HttpClient(self.http, url, self.clock, MOST_PROBE_BYTES)
        try:
            answer = await client.ask("GET", "", within=_SECONDS)
        except Unreachable as error:
            return Check("reporter", PROBLEM, str(error), "see that it runs, and --reporter, --proxy and --ca")
        if answer.status >= 500:
            return Check("reporter", WARNING, f"{url} answered {answer.status}", "see its log")
        return Check("reporter", OK, f"{url} answers")
