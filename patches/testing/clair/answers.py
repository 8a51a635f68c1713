"""The responses of a Clair, as values: computed from rows, tokens and a request."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from patches.testing.clair import documents
from patches.testing.clair.routes import MalformedPath, Route, decode_path, redirect_of, route_of
from patches.testing.clair.rows import NoSuchResource, Rows
from patches.testing.clair.tokens import TokenRefused, Tokens

JSON = "application/json;charset=utf-8"
TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"
#: Clair's message for a failing database, with its spelling.
DATABASE_ERROR = "database: an error occured when querying the backend"


@frozen
class Reply:
    """
    A response.

    :ivar kind: the kind of request: that of a :class:`~patches.testing.clair.routes.Route`, or ``other``.
    :ivar location: the target of a redirect.
    :ivar close: whether the response closes the connection.
    """

    kind: str
    status: int
    body: bytes
    content_type: str = JSON
    location: str | None = None
    close: bool = False

    @property
    def from_database(self) -> bool:
        """Whether Clair had to query its database for the response."""
        return self.content_type == JSON and self.status != 400


def error(kind: str, status: int, message: str) -> Reply:
    """Create one of Clair's own errors."""
    return Reply(kind, status, documents.encode({"Error": {"Message": message}}))


@frozen
class Answers:
    """Computes responses from rows."""

    rows: Rows
    tokens: Tokens

    def reply(self, method: str, target: str, now: float) -> Reply:
        """
        Return the response to a request.

        :param target: path and query, as received.
        :raises HandlerPanic: where Clair closes the connection.
        """
        raw_path, mark, query = target.partition("?")
        try:
            path = decode_path(raw_path)
        except MalformedPath:
            return Reply("other", 400, b"400 Bad Request", TEXT, close=True)
        route = route_of(path)
        if route is None:
            return self._elsewhere(method, path, mark + query)
        if method != "GET":
            return Reply("other", 405, b"Method Not Allowed\n", TEXT)
        try:
            return self._get(route, documents.query_values(query), now)
        except NoSuchResource:
            return error(route.kind, 404, "the resource cannot be found")

    def _elsewhere(self, method: str, path: str, query: str) -> Reply:
        location = redirect_of(path) if method in ("GET", "POST", "PUT", "DELETE") else None
        if location is None:
            return Reply("other", 404, b"404 page not found\n", TEXT)
        if method != "GET":
            return Reply("other", 307, b"", HTML, location + query)
        link = (location + query).replace("&", "&amp;").replace("'", "&#39;")
        return Reply(
            "other", 301, f'<a href="{link}">Moved Permanently</a>.\n\n'.encode("ascii"), HTML, location + query
        )

    def _get(self, route: Route, query: dict[str, str], now: float) -> Reply:
        if route.kind == "list":
            return self._list(route.names[0], query, now)
        if any(_is_unstorable(name) for name in route.names):
            return error(route.kind, 500, DATABASE_ERROR)
        if route.kind == "namespaces":
            return self._namespaces()
        record = self.rows.find(*route.names)
        if route.kind == "fixes":
            return _ok(route.kind, {"Features": documents.packages(record) or None})
        shown = documents.in_details(record) if "fixedIn" in query else documents.on_list(record)
        return _ok(route.kind, {"Vulnerability": shown})

    def _namespaces(self) -> Reply:
        found = [
            documents.without_empty({"Name": name, "VersionFormat": version_format}, ("Name", "VersionFormat"))
            for name, version_format in self.rows.namespaces()
        ]
        return _ok("namespaces", {"Namespaces": found or None})

    def _list(self, namespace: str, query: dict[str, str], now: float) -> Reply:
        if not namespace:
            return error("list", 400, "namespace should not be empty")
        if "limit" not in query:
            return error("list", 400, "must provide limit query parameter")
        try:
            limit = documents.parse_limit(query["limit"])
        except ValueError as refusal:
            return error("list", 400, f"invalid limit format: {refusal}")
        if limit < 0:
            return error("list", 400, "limit value should not be less than zero")
        try:
            start = self.tokens.read(query["page"], now) if "page" in query else 0
        except TokenRefused:
            return error("list", 400, "invalid page format: invalid or expired pagination token")
        if limit == documents.MAX_INT or _is_unstorable(namespace):
            return error("list", 500, DATABASE_ERROR)
        return self._page(namespace, start, limit, now)

    def _page(self, namespace: str, start: int, limit: int, now: float) -> Reply:
        found = self.rows.slice(namespace, start, limit)
        document: dict[str, Any] = {"Vulnerabilities": [documents.on_list(record) for record in found.records] or None}
        if found.following is not None:
            document["NextPage"] = self.tokens.make(found.following, now)
        return _ok("list", document)


def _ok(kind: str, document: dict[str, Any]) -> Reply:
    return Reply(kind, 200, documents.encode(document))


def _is_unstorable(name: str) -> bool:
    """Return whether PostgreSQL would refuse a name: it contains a NUL, or bytes that are not UTF-8."""
    return any(character == "\0" or "\udc80" <= character <= "\udcff" for character in name)
