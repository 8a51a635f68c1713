"""The three requests of Clair's v1 API, and the meaning of its error responses."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import quote, urlsplit

from attrs import frozen

from patches.errors import ListChanged, PlatformNotListed, SourceError
from patches.http.response_body import BodyTooLong
from patches.platforms import Platform
from patches.setting_parsers import check_literal
from patches.sources.clair.parser import (
    Details,
    MalformedDocument,
    Page,
    is_error,
    parse_details,
    parse_namespaces,
    parse_page,
)
from patches.sources.fetch.retry import RequestFailed, Response, RetryingClient

#: Clair compresses a response if it may; for details, one per request, that costs it two thirds of its speed.
PLAIN = {"Accept-Encoding": "identity"}
#: Answers are bounded before they are parsed. A page of 500 entries has 8 KiB for each, several times the longest
#: description; the largest known details, of a kernel with hundreds of packages, have some 100 KB.
MAX_LIST_BYTES = 4 * 1024 * 1024
MAX_DETAILS_BYTES = 1024 * 1024

Parsed = TypeVar("Parsed")


def check_base_url(url: str) -> str:
    """
    Return the base URL of a Clair in the form to which paths are appended.

    :raises ValueError: if it is not a valid base URL.
    """
    check_literal(url)
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable or "@" in parts.netloc or parts.query or parts.fragment or not url.isascii() or " " in url:
        raise ValueError("the URL of a Clair is http[s]://HOST[:PORT][/PATH], without user, query and fragment")
    return url.rstrip("/")


@frozen
class ClairAPI:
    """
    Clair's v1 API under a base URL.

    :ivar page_size: the number of vulnerabilities to request at once.
    :ivar source: the name of the source in the vulnerabilities.
    """

    base_url: str
    fetcher: RetryingClient
    page_size: int
    source: str = "clair"

    async def namespaces(self) -> tuple[str, ...]:
        """Request all namespaces."""
        what = "its namespaces"
        answer = await self._get("namespaces", what, MAX_LIST_BYTES)
        if answer.status != 200:
            raise self._refused(what, answer)
        return self._parsed(what, lambda: parse_namespaces(answer.body))

    async def page(self, namespace: str, token: str | None, platform: Platform) -> Page:
        """
        Request a page of a namespace's list.

        :param token: the start of the page; ``None``: the beginning of the list.
        :raises PlatformNotListed: if there is no such namespace.
        :raises ListChanged: if the token is refused: it is too old, or Clair was restarted.
        """
        what = f"the list of {namespace}"
        query = f"limit={self.page_size}"
        query += f"&page={quote(token, safe='')}" if token is not None else ""
        answer = await self._get(
            f"namespaces/{quote(namespace, safe='')}/vulnerabilities?{query}", what, MAX_LIST_BYTES
        )
        if answer.status == 404 and is_error(answer.body):
            raise PlatformNotListed(self._message(what, "there is no such namespace"))
        if answer.status == 400 and token is not None:
            raise ListChanged(self._message(what, "it lost its place there"))
        if answer.status != 200:
            raise self._refused(what, answer)
        return self._parsed(what, lambda: parse_page(answer.body, platform, self.source))

    async def details(self, namespace: str, name: str, platform: Platform) -> Details | None:
        """
        Request a vulnerability with its packages.

        :return: ``None`` if Clair does not have it, or has it no longer.
        """
        what = f"{name[:128]!r} of {namespace}"
        path = f"namespaces/{quote(namespace, safe='')}/vulnerabilities/{quote(name, safe='')}?fixedIn"
        answer = await self._get(path, what, MAX_DETAILS_BYTES, PLAIN)
        if answer.status == 404 and is_error(answer.body):
            return None
        if answer.status != 200:
            raise self._refused(what, answer)
        return self._parsed(what, lambda: parse_details(answer.body, name, platform, self.source))

    async def _get(self, path: str, what: str, max_bytes: int, headers: dict[str, str] | None = None) -> Response:
        try:
            return await self.fetcher.get(f"{self.base_url}/v1/{path}", max_bytes, headers)
        except (RequestFailed, BodyTooLong) as error:
            raise SourceError(self._message(what, str(error))) from error

    def _parsed(self, what: str, parse: Callable[[], Parsed]) -> Parsed:
        try:
            return parse()
        except MalformedDocument as error:
            raise SourceError(self._message(what, f"its answer is not Clair's: {error}")) from error

    def _refused(self, what: str, answer: Response) -> SourceError:
        """
        Return the error for a status. It does not contain the body, which may name addresses in the operator's network.
        """
        reason = f"it answered {answer.status}"
        if 300 <= answer.status < 400:
            reason += ", a redirect, which is not followed: is the base URL right?"
        elif answer.status == 404:
            reason += ": there is no Clair with a v1 API. Is the base URL right, without its /v1?"
        return SourceError(self._message(what, reason))

    def _message(self, what: str, reason: str) -> str:
        return f"Clair at {self.base_url} was asked for {what}: {reason}"
