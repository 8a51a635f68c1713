"""The OpenAPI document of the server, at ``/openapi.json``: its routes, and the shape of what they take and return."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from patches import __version__
from patches.server.sessions.tokens import MAX_TOKEN_LENGTH

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_NUMBER: Schema = {"type": "number"}
_FLAG: Schema = {"type": "boolean"}
_TIME: Schema = {"type": "string", "format": "date-time"}


def _object(members: Mapping[str, Schema], required: tuple[str, ...] | None = None) -> Schema:
    """Return the schema of an object; ``required``: ``None`` if all its members are."""
    return {"type": "object", "properties": dict(members), "required": list(members if required is None else required)}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


_POINT = _object({"publication": _COUNT, "published": _TIME})
_SCHEMAS: dict[str, Schema] = {
    "Error": _object({"error": _object({"code": _TEXT, "message": _TEXT})}),
    "FirstScannerError": _object({"error": _TEXT}),
    "Snapshot": _object(
        {
            **{
                "revision": _TEXT,
                "created": _TIME,
                "checked": _TIME,
                "serial": _COUNT,
                "vulnerabilities": _COUNT,
                "chunks": _COUNT,
            },
            **{"bytes": _COUNT, "digest": _TEXT, "unread": _COUNT, "publication": _COUNT, "empty": _FLAG},
            "enrichments": {"type": "array", "items": _TEXT},
            **{"signature": {"type": "object"}, "sizeSignature": {"type": "object"}},
            "enrichmentsSignature": {"type": "object"},
        },
        ("revision", "created", "checked", "vulnerabilities", "chunks", "digest"),
    ),
    "Opening": {
        **_object({"platform": _TEXT, "since": _or_null(_TEXT)}, ("platform",)),
        "not": {"required": ["resume"]},
    },
    "Resumption": _object({"resume": {**_TEXT, "maxLength": MAX_TOKEN_LENGTH}, "chunk": _COUNT}),
    "Session": _object(
        {
            "session": _TEXT,
            "platform": _TEXT,
            "state": {"enum": ["queued", "active", "complete"]},
            "queuePosition": _or_null(_COUNT),
            **{"expectedWait": _NUMBER, "pollAfter": _NUMBER, "expiresAfter": _NUMBER, "chunk": _COUNT},
            "snapshot": _ref("Snapshot"),
            "delta": {"type": "object"},
        },
        ("session", "platform", "state", "queuePosition", "expectedWait", "pollAfter", "expiresAfter", "chunk"),
    ),
    "Unchanged": _object({"unchanged": {"const": True}, "platform": _TEXT, "snapshot": _ref("Snapshot")}),
    "Progress": _object(
        {"state": _TEXT, "queuePosition": _or_null(_COUNT), "expectedWait": _NUMBER, "pollAfter": _NUMBER}
    ),
    "Finished": _object(
        {
            **{"finished": {"const": True}, "chunks": _COUNT, "vulnerabilities": _COUNT},
            **{"digest": _TEXT, "revision": _TEXT, "unread": _COUNT},
        },
        ("finished", "chunks", "vulnerabilities", "digest", "revision"),
    ),
    "Platform": _object(
        {
            **{"platform": _TEXT, "revision": _or_null(_TEXT), "vulnerabilities": _or_null(_COUNT)},
            **{"ageSeconds": _or_null(_NUMBER), "refresh": {"type": "object"}},
        }
    ),
    "Platforms": _object(
        {
            "platforms": _list(_ref("Platform")),
            "leftOut": _list(_object({"source": _TEXT, "name": _TEXT, "reason": _TEXT})),
        }
    ),
    "Publications": _object(
        {
            "id": _TEXT,
            "platforms": _list(
                _object(
                    {
                        **{"platform": _TEXT, "current": _FLAG, "first": _POINT, "last": _POINT},
                        **{
                            "withdrawn": _or_null(_TIME),
                            "intervals": _list(_object({"first": _POINT, "last": _POINT})),
                        },
                    }
                )
            ),
        }
    ),
    "Health": _object({"status": {"const": "ok"}}),
    "Readiness": _object(
        {
            **{"ready": _FLAG, "missing": _list(_TEXT), "empty": _list(_TEXT)},
            **{"alarms": {"type": "object"}, "problem": _or_null(_TEXT)},
        }
    ),
    "Slice": _object(
        {"error": {"type": "null"}, "requestID": _TEXT, "finished": _FLAG, "vulns": _list({"type": "object"})}
    ),
}

#: What each status means; an error has a code and a message.
_STATUSES = {
    "200": "OK",
    "201": "The session is open.",
    "202": "Not yet: send the request again.",
    "204": "The session is closed.",
    "304": "The list is the one that the client knows.",
    "400": "The request is malformed.",
    "404": "There is no such thing here.",
    "409": "The session is elsewhere.",
    "410": "The session has ended.",
    "413": "The body is too long.",
    "414": "The target is longer than 4,000 bytes.",
    "431": "The head of the request is too long.",
    "503": "Not now: see the code, and Retry-After.",
}
#: The statuses that every route may answer with.
_ANY = ("400", "414", "431", "503")


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}


def _operation(
    summary: str,
    answers: Mapping[str, Schema | None],
    errors: tuple[str, ...] = (),
    parameters: tuple[Schema, ...] = (),
    error: str = "Error",
    **more: Any,
) -> Schema:
    """
    Return an operation.

    :param answers: the content by status; ``None``: no body.
    :param errors: further statuses with an error.
    """
    responses: Schema = {}
    for status, content in answers.items():
        responses[status] = {"description": _STATUSES[status], **({"content": content} if content is not None else {})}
    for status in (*errors, *_ANY):
        responses.setdefault(status, {"description": _STATUSES[status], "content": _json(_ref(error))})
    return {"summary": summary, "responses": responses, "parameters": list(parameters), **more}


def _parameter(where: str, name: str, schema: Schema) -> Schema:
    return {"name": name, "in": where, "required": where == "path", "schema": schema}


_SESSION = _parameter("path", "session", {**_TEXT, "pattern": "^[A-Za-z0-9_-]+$", "maxLength": MAX_TOKEN_LENGTH})
_NTH = _parameter("path", "number", {**_COUNT, "maximum": 999_999_999})
_WAIT = _parameter("header", "Prefer", {**_TEXT, "examples": ["wait=20"]})
_GONE = ("404", "409", "410")

_PATHS: dict[str, Schema] = {
    "/v1/sessions": {
        "post": _operation(
            "Open or resume a session.",
            {"201": _json(_ref("Session")), "200": _json(_ref("Unchanged"))},
            (*_GONE, "413"),
            requestBody={"required": True, "content": _json({"anyOf": [_ref("Opening"), _ref("Resumption")]})},
        )
    },
    "/v1/sessions/{session}": {
        "get": _operation("Describe a session.", {"200": _json(_ref("Session"))}, _GONE, (_SESSION, _WAIT)),
        "delete": _operation("Close a session.", {"204": None}, _GONE, (_SESSION,)),
    },
    "/v1/sessions/{session}/chunks/{number}": {
        "get": _operation(
            "Read a chunk.",
            {
                "200": {"application/x-ndjson": {"schema": _TEXT}, **_json(_ref("Finished"))},
                "202": _json(_ref("Progress")),
            },
            _GONE,
            (_SESSION, _NTH, _WAIT),
        )
    },
    "/v1/platforms": {"get": _operation("List the platforms.", {"200": _json(_ref("Platforms"))})},
    "/v1/platforms/{platform}": {
        "get": _operation(
            "Describe a platform, unless its list is the one that the client knows.",
            {"200": _json(_ref("Platform")), "304": None},
            ("404",),
            (
                _parameter("path", "platform", {**_TEXT, "minLength": 1}),
                _parameter("header", "If-None-Match", {**_TEXT, "examples": ['W/"784a9dd2af2007f43fc64bf9bbeaa86c"']}),
            ),
        )
    },
    "/v1/vulnerabilities/{id}": {
        "get": _operation(
            "List the publications that have a vulnerability id.",
            {"200": _json(_ref("Publications"))},
            ("404",),
            (_parameter("path", "id", {**_TEXT, "minLength": 1}),),
        )
    },
    "/health": {"get": _operation("Tell whether the server runs.", {"200": _json(_ref("Health"))})},
    "/ready": {
        "get": _operation(
            "Tell whether a list can be served.",
            {"200": _json(_ref("Readiness")), "503": _json({"anyOf": [_ref("Readiness"), _ref("Error")]})},
            ("404",),
            (_parameter("query", "platform", _TEXT),),
        )
    },
    "/metrics": {"get": _operation("Return the metrics.", {"200": {"text/plain": {"schema": _TEXT}}})},
    "/openapi.json": {"get": _operation("Return this document.", {"200": _json({"type": "object"})})},
    "/vulns": {
        "get": _operation(
            "Open a session of the first Patches scanner, or read its next slice.",
            {"200": _json(_ref("Slice"))},
            ("404", "409", "410"),
            tuple(_parameter("query", name, _TEXT) for name in ("platform", "requestID", "sequence")),
            error="FirstScannerError",
        )
    },
}


def _options(operations: Schema) -> Schema:
    """Return the operation that lists the methods of a path; its parameters are those of the path."""
    parameters = tuple(each for each in next(iter(operations.values()))["parameters"] if each["in"] == "path")
    found = _operation("List the methods of this path.", {"204": None}, ("404",), parameters)
    found["responses"]["204"] = {
        "description": "The methods.",
        "headers": {"Allow": {"required": True, "schema": _TEXT}},
    }
    return found


_PATHS = {path: {**operations, "options": _options(operations)} for path, operations in _PATHS.items()}


def openapi_document() -> dict[str, Any]:
    """Return the document (OpenAPI 3.1.0)."""
    info = {"title": "patches-server", "version": __version__, "license": {"name": "MPL-2.0", "identifier": "MPL-2.0"}}
    return {"openapi": "3.1.0", "info": info, "paths": _PATHS, "components": {"schemas": _SCHEMAS}}
