"""A server with a signing key signs whatever it says of a list, wherever it says it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from patches.server.http.representations import DescribeSnapshot
from patches.server.http.signatures import SnapshotSigner
from patches.signing import NotSigned, SigningKey, VerifyKey, create_keys, manifest_bytes
from tests.server.server_case import ServerCase


class SignaturesTests(ServerCase):
    """A server that signs."""

    def setUp(self) -> None:
        path = Path(self.mktemp())
        self.verify_key = VerifyKey.from_file(create_keys(path))
        self.describe: DescribeSnapshot = SnapshotSigner(SigningKey.from_file(path)).describe
        super().setUp()

    def verify(self, platform: str, snapshot: dict[str, Any]) -> None:
        """Verify what was said."""
        self.verify_key.verify(manifest_bytes(platform, snapshot), snapshot["signature"])

    def test_session(self) -> None:
        """The snapshot of a session is signed when it opens, whenever it is looked at, and when it is resumed."""
        opened = self.post({"platform": "debian-12"})
        path = opened.headers["location"]
        resumed = self.post({"resume": path.rpartition("/")[2], "chunk": 0})
        for answer in (opened, self.ask("GET", path), resumed):
            self.verify("debian-12", json.loads(answer.body)["snapshot"])

    def test_unchanged(self) -> None:
        """So is one that has not changed."""
        since = self.refresh.current("debian-12").revision
        document = json.loads(self.post({"platform": "debian-12", "since": since}).body)
        self.assertTrue(document["unchanged"])
        self.verify("debian-12", document["snapshot"])

    def test_platforms(self) -> None:
        """So are those in the list of platforms; a signature is one of its platform alone."""
        platforms = json.loads(self.ask("GET", "/v1/platforms").body)["platforms"]
        self.assertEqual(len(platforms), 2)
        for document in platforms:
            self.verify(document["platform"], document)
        self.assertRaises(NotSigned, self.verify, "debian-12", platforms[0])

    def test_checked_again(self) -> None:
        """When the source gives the same list later, that is signed anew."""
        before = json.loads(self.post({"platform": "debian-12"}).body)["snapshot"]
        self.clock.advance(7 * 3600)
        self.tick()
        after = json.loads(self.post({"platform": "debian-12"}).body)["snapshot"]
        self.assertEqual(before["revision"], after["revision"])
        self.assertGreater(after["checked"], before["checked"])
        self.assertNotEqual(before["signature"], after["signature"])
        self.verify("debian-12", after)
