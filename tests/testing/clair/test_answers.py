"""Tests for :mod:`patches.testing`: the details that the double of Clair sends, and the names that it finds."""

from __future__ import annotations

import json
from typing import Any

from tests.testing.clair.test_double import NOT_FOUND, DoubleCase


class DetailsTests(DoubleCase):
    """Details."""

    def setUp(self) -> None:
        super().setUp()
        self.whole: dict[str, Any] = {
            "Name": "CVE-1",
            "NamespaceName": "debian:9",
            "Description": 'a <b> & "c"\nnew line é 中',
            "Link": "https://tracker.test/CVE-1",
            "Severity": "Defcon1",
            "Metadata": {"NVD": {"CVSSv2": {"Score": 10, "Vectors": "AV:N"}}},
            "FixedIn": [
                {"Name": "a", "NamespaceName": "debian:9", "VersionFormat": "dpkg", "Version": "1"},
                {"Name": "b", "NamespaceName": "debian:9", "VersionFormat": "dpkg", "Version": "None"},
            ],
        }
        self.double.load("debian:9", [self.whole, {"Name": "CVE-2", "Link": "", "FixedIn": []}])
        self.target = "/v1/namespaces/debian:9/vulnerabilities/CVE-1"

    def test_packages_on_presence(self) -> None:
        """Packages are sent if the parameter is present, with any value."""
        for query in ("?fixedIn", "?fixedIn=", "?fixedIn=false", "?x&fixedIn"):
            self.assertEqual(json.loads(self.get(self.target + query).body), {"Vulnerability": self.whole})
        for query in ("", "?", "?fixedin", "?FixedIn"):
            self.assertNotIn(b"FixedIn", self.get(self.target + query).body)

    def test_on_the_wire(self) -> None:
        """Markup is escaped, other characters are not; the fields have their order."""
        body = self.get(self.target).body.decode()
        self.assertIn('"a \\u003cb\\u003e \\u0026 \\"c\\"\\nnew line é 中"', body)
        fields = ["Name", "NamespaceName", "Description", "Link", "Severity", "Metadata"]
        self.assertEqual(list(json.loads(body)["Vulnerability"]), fields)

    def test_empty_fields(self) -> None:
        """Empty fields are omitted, an empty list of packages too."""
        body = self.get("/v1/namespaces/debian:9/vulnerabilities/CVE-2?fixedIn").body
        expected = b'{"Vulnerability":{"Name":"CVE-2","NamespaceName":"debian:9","Severity":"Unknown"}}\n'
        self.assertEqual(body, expected)

    def test_never_fixed(self) -> None:
        """Clair's stored form of "no fix" is not sent."""
        fixes = [{"Name": "a", "Version": "#MAXV#"}, {"Name": "b", "Version": "", "VersionFormat": ""}]
        self.double.change("debian:9", {"Name": "CVE-3", "FixedIn": fixes})
        body = self.get("/v1/namespaces/debian:9/vulnerabilities/CVE-3/fixes").body
        features = [
            {"Name": "a", "NamespaceName": "debian:9", "VersionFormat": "dpkg", "Version": "None"},
            {"Name": "b", "NamespaceName": "debian:9"},
        ]
        self.assertEqual(json.loads(body), {"Features": features})
        self.assertEqual(self.get("/v1/namespaces/debian:9/vulnerabilities/CVE-2/fixes").body, b'{"Features":null}\n')

    def test_unknown(self) -> None:
        """A missing name, or one in another case, is a 404 of Clair's own."""
        for target in (
            "debian:9/vulnerabilities/cve-1",
            "debian:99/vulnerabilities/CVE-1",
            "debian:9/vulnerabilities/X/fixes",
        ):
            answer = self.get(f"/v1/namespaces/{target}?fixedIn")
            self.assertEqual((answer.status, answer.body), (404, NOT_FOUND))

    def test_odd_names(self) -> None:
        """Names are found by their percent-encoded form; a plus is a plus; an invalid name is a database error."""
        names = {
            "a b": "a%20b",
            "a?": "a%3F",
            "a%": "a%25",
            "a:b": "a%3Ab",
            "é": "%C3%A9",
            "a+b": "a+b",
            "%2F": "%252F",
        }
        self.double.load("lab:odd", [{"Name": name} for name in names])
        for name, encoded in names.items():
            answer = self.get(f"/v1/namespaces/lab%3aodd/vulnerabilities/{encoded}")
            self.assertEqual(json.loads(answer.body)["Vulnerability"]["Name"], name)
        self.assertEqual(self.get("/v1/namespaces/lab:odd/vulnerabilities/a+b%20").status, 404)
        for bad in ("CVE%00", "CVE%FF"):
            self.assertEqual(self.get(f"/v1/namespaces/lab:odd/vulnerabilities/{bad}").status, 500)

    def test_slash(self) -> None:
        """A name with a slash has no route, in any encoding."""
        self.double.load("lab:odd", [{"Name": "a/b"}, {"Name": "c/"}])
        for encoded in ("a/b", "a%2Fb", "a%2fb"):
            answer = self.get(f"/v1/namespaces/lab:odd/vulnerabilities/{encoded}?fixedIn")
            self.assertEqual((answer.status, answer.body), (404, b"404 page not found\n"))
        self.assertEqual(self.get("/v1/namespaces/lab:odd/vulnerabilities/c%2F").status, 301)
