"""Tests of a server with a signing key: each description of a snapshot is signed, in every document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from attrs import evolve

from patches.server.http.representations import DescribeSnapshot
from patches.server.http.signatures import SnapshotSigner
from patches.signing import (
    NotSigned,
    SigningKey,
    VerifyKey,
    create_keys,
    enriched_manifest_bytes,
    manifest_bytes,
    sized_manifest_bytes,
)
from tests.server.server_case import ServerCase


class SignaturesTests(ServerCase):
    """A server that has a signing key."""

    def setUp(self) -> None:
        path = Path(self.mktemp())
        self.verify_key = VerifyKey.from_file(create_keys(path))
        self.describe: DescribeSnapshot = SnapshotSigner(SigningKey.from_file(path)).describe
        super().setUp()

    def verify(self, platform: str, snapshot: dict[str, Any]) -> None:
        """Verify both signatures of a snapshot's description."""
        self.verify_key.verify(manifest_bytes(platform, snapshot), snapshot["signature"])
        self.verify_key.verify(sized_manifest_bytes(platform, snapshot), snapshot["sizeSignature"])

    def test_session(self) -> None:
        """The snapshot of a session is signed when it is opened, queried and resumed."""
        opened = self.post({"platform": "debian-12"})
        path = opened.headers["location"]
        resumed = self.post({"resume": path.rpartition("/")[2], "chunk": 0})
        for answer in (opened, self.ask("GET", path), resumed):
            self.verify("debian-12", json.loads(answer.body)["snapshot"])

    def test_unchanged(self) -> None:
        """The snapshot is signed if a scanner already has it."""
        since = self.refresh.registry.current("debian-12").revision
        document = json.loads(self.post({"platform": "debian-12", "since": since}).body)
        self.assertTrue(document["unchanged"])
        self.verify("debian-12", document["snapshot"])

    def test_platforms(self) -> None:
        """Each snapshot in the list of platforms is signed; a signature is valid for its platform only."""
        platforms = json.loads(self.ask("GET", "/v1/platforms").body)["platforms"]
        self.assertEqual(len(platforms), 2)
        for document in platforms:
            self.verify(document["platform"], document)
        self.assertRaises(NotSigned, self.verify, "debian-12", platforms[0])

    def test_enrichments(self) -> None:
        """The facts that a list was made with are a statement of their own; without any there is none."""
        plain = self.refresh.registry.current("debian-12")
        sources = {**plain.sources, "kev": {"read": 1, "skipped": {}, "enriches": "kev"}}
        document = self.describe(evolve(plain, sources=sources))
        self.assertEqual(document["enrichments"], ["kev"])
        self.verify("debian-12", document)
        self.verify_key.verify(enriched_manifest_bytes("debian-12", document), document["enrichmentsSignature"])
        self.assertEqual({"enrichments", "enrichmentsSignature"} & self.describe(plain).keys(), set())

    def test_checked_again(self) -> None:
        """A list that its source delivers again later, unchanged, gets a new signature."""
        before = json.loads(self.post({"platform": "debian-12"}).body)["snapshot"]
        self.clock.advance(7 * 3600)
        self.tick()
        after = json.loads(self.post({"platform": "debian-12"}).body)["snapshot"]
        self.assertEqual(before["revision"], after["revision"])
        self.assertGreater(after["checked"], before["checked"])
        self.assertNotEqual(before["signature"], after["signature"])
        self.verify("debian-12", after)
