"""Tests for :mod:`patches.server.http.vulnerabilities`: the publications of a vulnerability id."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from patches.server.catalogue.publications import Interval, Publication
from patches.server.http.vulnerabilities import MOST_CHARACTERS, MOST_INTERVALS, vulnerability_document
from patches.wire import encode_line
from tests.server.catalogue.test_publications import record
from tests.server.databases import OnPostgreSQL
from tests.server.fake_source import NOW
from tests.server.server_case import ServerCase


class LookupTests(ServerCase):
    """``GET /v1/vulnerabilities/<id>``."""

    def publish(self, later: float, *names: str, platform: str = "debian-12") -> None:
        """Publish a list with a record for each name."""
        records = [record(*name.split("|"), platform=platform) for name in names]
        self.catalogue.publish(platform, map(encode_line, records), {}, NOW + later)

    def look_up(self, name: str, status: int = 200) -> dict[str, Any]:
        """Return the document of an id."""
        answer = self.ask("GET", f"/v1/vulnerabilities/{quote(name, safe='')}")
        self.assertEqual((answer.status, answer.headers["content-type"]), (status, "application/json"), name)
        document: dict[str, Any] = json.loads(answer.body)
        return document

    def test_current(self) -> None:
        """An id in current lists is told with the publications of each platform since it is there."""
        self.publish(60, "CVE-1|DSA-1", platform="rocky-9")
        self.publish(120, "CVE-1|DSA-1", "CVE-2", platform="rocky-9")
        document = self.look_up("DSA-1")
        first = {"publication": 1, "published": "2023-11-14T22:14:20Z"}
        last = {"publication": 2, "published": "2023-11-14T22:15:20Z"}
        self.assertEqual(
            document,
            {
                "id": "DSA-1",
                "platforms": [
                    {
                        "platform": "rocky-9",
                        "current": True,
                        "first": first,
                        "last": last,
                        "withdrawn": None,
                        "intervals": [{"first": first, "last": last}],
                    }
                ],
            },
        )
        self.assertEqual([each["platform"] for each in self.look_up("CVE-1")["platforms"]], ["rocky-9"])

    def test_withdrawn(self) -> None:
        """An id that is gone is told with its last publication, and when that was replaced."""
        self.publish(60, "CVE-1", platform="rocky-9")
        self.publish(120, "CVE-2", platform="rocky-9")
        (platform,) = self.look_up("CVE-1")["platforms"]
        self.assertEqual((platform["current"], platform["last"]["publication"]), (False, 1))
        self.assertEqual(platform["withdrawn"], "2023-11-14T22:15:20Z")

    def test_refreshed(self) -> None:
        """The ids of a list that the server has read are told; the number is that of the list of platforms."""
        name = "CVE-2024-000003"
        self.assertEqual([each["platform"] for each in self.look_up(name)["platforms"]], ["alpine-3.20", "debian-12"])
        platforms = json.loads(self.ask("GET", "/v1/platforms").body)["platforms"]
        self.assertEqual([each["publication"] for each in platforms], [1, 1])

    def test_unknown(self) -> None:
        """An id that no list had is 404, however odd it is; it is repeated in part at most."""
        for name in (
            "CVE-1",
            "cve-2024-000003",
            "!followed",
            "a\x00b",
            "%",
            "ü",
            "a b",
            "../x",
            "x" * 1001,
            "x" * 3900,
        ):
            error = self.look_up(name, 404)["error"]
            self.assertEqual(error["code"], "unknown-vulnerability", name)
            self.assertLess(len(error["message"]), MOST_CHARACTERS + 100)

    def test_slashes(self) -> None:
        """An id may have slashes; a path without an id, or with a doubled slash, is not found."""
        self.publish(60, "a/b", platform="rocky-9")
        self.assertEqual(self.look_up("a/b")["id"], "a/b")
        for path in ("/v1/vulnerabilities/", "/v1/vulnerabilities", "/v1/vulnerabilities//CVE-1"):
            answer = self.ask("GET", path)
            self.assertEqual((answer.status, json.loads(answer.body)["error"]["code"]), (404, "not-found"), path)

    def test_not_text(self) -> None:
        """A path that is not UTF-8 is malformed."""
        self.assertEqual(self.ask("GET", "/v1/vulnerabilities/%ff").status, 400)

    def test_most_intervals(self) -> None:
        """Of very many intervals, the latest ones are told; the first publication stays the first."""
        ends = [
            Interval(Publication(n, float(n), n + 1.0), Publication(n, float(n), n + 1.0)) for n in range(1, 400, 2)
        ]
        (platform,) = vulnerability_document("CVE-1", {"debian-12": ends})["platforms"]
        self.assertEqual(len(platform["intervals"]), MOST_INTERVALS)
        self.assertEqual(platform["intervals"][-1]["last"], platform["last"])
        self.assertEqual((platform["first"]["publication"], platform["last"]["publication"]), (1, 399))


class LookupOnPostgreSQLTests(OnPostgreSQL, LookupTests):
    """The same on PostgreSQL."""
