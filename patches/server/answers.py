"""What requests ask for, and answers in JSON: what the routes of the API share."""

from __future__ import annotations

import json
from typing import Any

from twisted.web.iweb import IRequest

from patches.server.problems import Problem
from patches.wire import JSON, encode_json


def answer(request: IRequest, document: Any, code: int | None = None) -> bytes:
    """
    Make a document the answer to a request.

    :param code: the HTTP status; ``None``: what is set already.
    :return: the body.
    """
    if code is not None:
        request.setResponseCode(code)
    body = encode_json(document)
    request.setHeader("Content-Type", JSON)
    request.setHeader("Content-Length", str(len(body)))
    return body


def json_object(request: Any) -> dict[str, Any]:
    """
    Read a request's body.

    :raises Problem: if it is no JSON object.
    """
    try:
        body = json.loads(request.content.read())
    except (ValueError, RecursionError) as error:
        raise Problem(400, "malformed", "the body is not JSON") from error
    if not isinstance(body, dict):
        raise Problem(400, "malformed", "the body must be a JSON object")
    return body


def accepts_gzip(request: IRequest) -> bool:
    """Tell whether a client accepts gzip (RFC 9110 §12.5.3); what it says of gzip goes before what it says of all."""
    qualities = {}
    for coding in (request.getHeader("Accept-Encoding") or "").lower().split(","):
        name, _, quality = coding.partition(";")
        qualities[name.strip()] = quality.replace(" ", "")
    return qualities.get("gzip", qualities.get("*", "q=0")) not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
