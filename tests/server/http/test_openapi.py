"""Tests for :mod:`patches.server.http.openapi`: the document, and that the server does what it says."""

from __future__ import annotations

import json
import re
from typing import Any

from jsonschema import Draft202012Validator

from patches.server.http.api import Api
from patches.server.http.openapi import openapi_document
from tests.server.memory_transport import Answer
from tests.server.server_case import ServerCase

#: A rule of the routes → a path of the document.
_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
_NAMES = {"token": "session", "n": "number", "vulnerability_id": "id"}


class DocumentTests(ServerCase):
    """The document against the routes, and against what the server answers."""

    def setUp(self) -> None:
        super().setUp()
        self.document = openapi_document()

    def fits(self, path: str, method: str, answer: Answer) -> None:
        """Check that a response is one that the document describes."""
        responses = self.document["paths"][path][method]["responses"]
        self.assertIn(str(answer.status), responses, (path, method))
        content = responses[str(answer.status)].get("content", {})
        kind = answer.headers.get("content-type", "").partition(";")[0]
        self.assertTrue(kind in content or not answer.body, (path, method, answer.status, kind))
        if kind == "application/json":
            schema = {**content[kind]["schema"], "components": self.document["components"]}
            Draft202012Validator(schema).validate(json.loads(answer.body))

    def test_routes(self) -> None:
        """Each route and each method is in the document, and nothing else is."""
        found: dict[str, set[str]] = {}
        for rule in Api.app.url_map.iter_rules():
            path = _PARAMETER.sub(lambda match: "{" + _NAMES.get(match[1], match[1]) + "}", rule.rule)
            found.setdefault(path, {"options"}).update(
                method.lower() for method in (rule.methods or ()) if method != "HEAD"
            )
        said = {path: set(operations) for path, operations in self.document["paths"].items()}
        self.assertEqual(said, found)

    def test_schemas(self) -> None:
        """Each schema is one, and each reference leads to one."""
        schemas = self.document["components"]["schemas"]
        for schema in schemas.values():
            Draft202012Validator.check_schema(schema)
        used = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(self.document)))
        self.assertEqual(used, set(schemas))

    def test_answers(self) -> None:
        """The responses of the server are those that the document describes."""
        path = self.open()
        chunk, session = "/v1/sessions/{session}/chunks/{number}", "/v1/sessions/{session}"
        asked: list[tuple[str, str, str, dict[str, Any] | None]] = [
            ("/v1/sessions", "post", "/v1/sessions", {"platform": "alpine-3.20"}),
            ("/v1/sessions", "post", "/v1/sessions", {"platform": "absent-1"}),
            ("/v1/sessions", "post", "/v1/sessions", {"platform": 1}),
            ("/v1/sessions", "post", "/v1/sessions", {"resume": "x", "chunk": 0}),
            (session, "get", path, None),
            (session, "get", "/v1/sessions/absent", None),
            (chunk, "get", f"{path}/chunks/0", None),
            (chunk, "get", f"{path}/chunks/9", None),
            (session, "options", path, None),
            ("/vulns", "options", "/vulns", None),
            (session, "delete", path, None),
            (session, "delete", path, None),
            ("/v1/platforms", "get", "/v1/platforms", None),
            ("/v1/platforms/{platform}", "get", "/v1/platforms/alpine-3.20", None),
            ("/v1/platforms/{platform}", "get", "/v1/platforms/absent-1", None),
            ("/v1/vulnerabilities/{id}", "get", "/v1/vulnerabilities/CVE-2024-000001", None),
            ("/v1/vulnerabilities/{id}", "get", "/v1/vulnerabilities/absent", None),
            ("/health", "get", "/health", None),
            ("/ready", "get", "/ready", None),
            ("/ready", "get", "/ready?platform=absent-1", None),
            ("/metrics", "get", "/metrics", None),
            ("/openapi.json", "get", "/openapi.json", None),
            ("/vulns", "get", "/vulns?platform=alpine-3.20", None),
            ("/vulns", "get", "/vulns?platform=absent-1", None),
            ("/vulns", "get", "/vulns", None),
        ]
        for described, method, target, body in asked:
            sent = json.dumps(body).encode() if body is not None else b""
            self.fits(described, method, self.ask(method.upper(), target, body=sent))

    def test_end(self) -> None:
        """So are the end of a stream, and a list that is unchanged."""
        path = self.open("alpine-3.20")
        self.read(path, 0)
        self.fits("/v1/sessions/{session}/chunks/{number}", "get", self.read(path, 1))
        revision = self.refresh.registry.current("alpine-3.20").revision
        body = json.dumps({"platform": "alpine-3.20", "since": revision}).encode()
        self.fits("/v1/sessions", "post", self.ask("POST", "/v1/sessions", body=body))
