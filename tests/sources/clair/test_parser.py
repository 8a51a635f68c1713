"""Tests for :mod:`patches.sources.clair.parser`."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from patches.platforms import Platform
from patches.skipped import NO_PACKAGE_NAME, SLASH, UNREADABLE
from patches.sources.clair.parser import (
    MAX_VALUES,
    Details,
    MalformedDocument,
    Page,
    is_error,
    parse_details,
    parse_namespaces,
    parse_page,
)
from patches.vulnerability import FixedPackage, Severity, Vulnerability

DEBIAN = Platform("debian", "9")

DEBIAN = Platform.from_name("debian-9")


def details(platform: Platform = DEBIAN, **fields: Any) -> Details:
    """Parse the details of a vulnerability with these fields."""
    body = json.dumps({"Vulnerability": {"Name": "CVE-1", "NamespaceName": "debian:9", **fields}}).encode()
    return parse_details(body, "CVE-1", platform)


def fixed_in(*entries: dict[str, Any], platform: Platform = DEBIAN) -> tuple[FixedPackage, ...]:
    """Parse these packages."""
    return details(platform, FixedIn=list(entries)).vulnerability.fixed_in


class DetailsTests(SynchronousTestCase):
    """Vulnerabilities."""

    def test_whole(self) -> None:
        """All of Clair's fields are converted."""
        parsed = details(
            Severity="High",
            Link="https://tracker.test/CVE-1",
            Description="It is a flaw. It is bad.",
            Metadata={"NVD": {"CVSSv2": {"Score": 7.5, "Vectors": "AV:N/AC:L/Au:N/C:P/I:P/A:P"}}},
            FixedIn=[{"Name": "sudo", "NamespaceName": "debian:9", "VersionFormat": "dpkg", "Version": "1:2-3"}],
        )
        self.assertEqual(
            parsed,
            Details(
                Vulnerability(
                    name="CVE-1",
                    platform="debian-9",
                    fixed_in=(FixedPackage("sudo", "1:2-3", "source", status="fixed"),),
                    severity=Severity.HIGH,
                    details_href="https://tracker.test/CVE-1",
                    source="clair",
                    cvss="AV:N/AC:L/Au:N/C:P/I:P/A:P",
                    title="It is a flaw",
                )
            ),
        )

    def test_bare(self) -> None:
        """A missing field is empty, and a vulnerability without ``FixedIn`` affects no package."""
        expected = Vulnerability(name="CVE-1", platform="debian-9", source="clair")
        self.assertEqual(details(), Details(expected))
        self.assertEqual(details(FixedIn=None), Details(expected))

    def test_no_fix(self) -> None:
        """The version ``None``, a text, means that there is no fix; so does Clair's stored form."""
        expected = (FixedPackage("firefox", None, status="affected"),)
        self.assertEqual(fixed_in({"Name": "firefox", "Version": "None"}), expected)
        self.assertEqual(fixed_in({"Name": "firefox", "Version": "#MAXV#"}), expected)

    def test_sorted_by_name(self) -> None:
        """Clair's order of packages is undefined; packages are sorted by name."""
        entries = [{"Name": name, "Version": "1"} for name in ("xen", "bash", "krb5")]
        self.assertEqual([package.name for package in fixed_in(*entries)], ["bash", "krb5", "xen"])

    def test_unusable_packages(self) -> None:
        """A package without a name is skipped, one without a version is unreadable; both are reported."""
        entries = [{"Name": "a"}, {"Name": "b", "Version": ""}, {"Version": "1"}, {"Name": "c", "Version": "1"}]
        parsed = details(FixedIn=entries)
        unreadable = {"status": "unreadable", "note": "the version is missing"}
        expected = [FixedPackage(name, None, **unreadable) for name in "ab"]  # type: ignore[arg-type]
        self.assertEqual(parsed.vulnerability.fixed_in, (*expected, FixedPackage("c", "1")))
        self.assertEqual(parsed.left_out, (UNREADABLE, UNREADABLE, NO_PACKAGE_NAME))

    def test_kind(self) -> None:
        """The platform determines the kind of packages: source packages, or binary ones for rpm."""
        kinds = {"debian-9": "source", "ubuntu-18.04": "source", "alpine-3.8": "source"}
        kinds.update({"centos-7": "binary", "oracle-6": "binary", "amazon-2": "binary"})
        for name, kind in kinds.items():
            (package,) = fixed_in({"Name": "bash", "Version": "0:1-1"}, platform=Platform.from_name(name))
            self.assertEqual(package.kind, kind, name)

    def test_severities(self) -> None:
        """Each of Clair's severities is converted, and any other is unknown."""
        words = ("Unknown", "Negligible", "Low", "Medium", "High", "Critical", "Defcon1")
        self.assertEqual([details(Severity=word).vulnerability.severity for word in words], list(Severity))
        for other in ("defcon1", "Important", "", None, 5, ["High"]):
            self.assertEqual(details(Severity=other).vulnerability.severity, Severity.UNKNOWN)

    def test_free_form_metadata(self) -> None:
        """Metadata without NVD's vector is accepted."""
        for metadata in (
            None,
            "text",
            {"NVD": []},
            {"NVD": {"CVSSv2": {"Score": 5}}},
            {"NVD": {"CVSSv2": {"Vectors": 5}}},
        ):
            self.assertIsNone(details(Metadata=metadata).vulnerability.cvss)

    def test_link_of_another_type(self) -> None:
        """A link that is not a string is ignored."""
        self.assertEqual(details(Link=5).vulnerability.details_href, "")

    def test_digest(self) -> None:
        """The digest shows each change of the details, but not another order of the packages."""
        fixes = [{"Name": name, "Version": version} for name, version in (("a", "1"), ("b", "2"), ("c", "3"))]
        digests = {details(FixedIn=order).digest for order in permutations(fixes)}
        self.assertEqual(len(digests), 1)
        self.assertRegex(digests.pop(), r"^[0-9a-f]{16}$")
        swapped = [{"Name": name, "Version": version} for name, version in (("a", "2"), ("b", "1"), ("c", "3"))]
        others = (details(FixedIn=fixes[:2]), details(FixedIn=swapped), details(FixedIn=fixes, Link="https://x"))
        self.assertEqual(len({each.digest for each in (details(FixedIn=fixes), *others)}), 4)

    def test_stored_forms(self) -> None:
        """Clair's stored forms of versions: above all others there is no fix, below all others nothing is affected."""
        fixes = [{"Name": name, "Version": version} for name, version in (("a", "#MAXV#"), ("b", "#MINV#"), ("c", "1"))]
        found = details(FixedIn=fixes).vulnerability.fixed_in
        self.assertEqual(
            [(each.name, each.version, each.status) for each in found], [("a", None, "affected"), ("c", "1", "fixed")]
        )

    def test_another_vulnerability(self) -> None:
        """Details of another vulnerability than the requested one are refused."""
        with self.assertRaises(MalformedDocument):
            details(Name="CVE-2")

    def test_many_values(self) -> None:
        """A document with too many values is refused before it is parsed: each would take many times its length."""
        for value in (b"[],", b"{},", b'"":'):
            with self.assertRaisesRegex(MalformedDocument, f"^it has more than {MAX_VALUES} values$"):
                parse_page(b'{"Vulnerabilities":[' + value * (MAX_VALUES + 1), DEBIAN)
        names = b",".join([b'{"Name":"a"}'] * (MAX_VALUES // 3 - 10))
        self.assertEqual(len(parse_page(b'{"Vulnerabilities":[' + names + b"]}", DEBIAN).names), MAX_VALUES // 3 - 10)

    def test_dense_text(self) -> None:
        """Values are not counted within strings, however dense a description is."""
        text = json.dumps({"Name": "a", "Description": '{"[,:' * MAX_VALUES}).encode()
        self.assertEqual(parse_page(b'{"Vulnerabilities":[' + text + b"]}", DEBIAN).names, ("a",))

    def test_malformed(self) -> None:
        """Any other structure is refused, with a one-line message."""
        record = {"Name": "CVE-1"}
        documents = [
            b"",
            b"<html>",
            b"\xff",
            b"[" * 100_000,
            b"null",
            b"[]",
            b"{}",
            json.dumps(record).encode(),
            *(
                json.dumps({"Vulnerability": {**record, "FixedIn": fixes}}).encode()
                for fixes in ({}, "x", 1, [None], ["x"], [{"Name": 1}], [{"Name": "a", "Version": 1}])
            ),
            b'{"Vulnerability":{"Name":"CVE-1","FixedIn":[{"Name":"\\ud800","Version":"1"}]}}',
        ]
        for body in documents:
            with self.assertRaises(MalformedDocument) as caught:
                parse_details(body, "CVE-1", DEBIAN)
            self.assertNotIn("\n", str(caught.exception))


class ListTests(SynchronousTestCase):
    """Pages, namespaces and errors."""

    def test_page(self) -> None:
        """A page has names, in order, and the token of the next page."""
        body = b'{"Vulnerabilities":[{"Name":"b"},{"Name":"a b?"},{"Severity":"Low"}],"NextPage":"gAAA=="}\n'
        self.assertEqual(parse_page(body, DEBIAN), Page(("b", "a b?", ""), "gAAA=="))

    def test_slash(self) -> None:
        """A name with a slash, which cannot be asked for, has a record of what the page tells."""
        body = b'{"Vulnerabilities":[{"Name":"CVE-1 (A/B)","Severity":"High","Link":"https://x"},{"Name":"b"}]}'
        ((name, told),) = parse_page(body, DEBIAN).told.items()
        record = told.vulnerability
        self.assertEqual((name, record.severity, record.details_href), ("CVE-1 (A/B)", Severity.HIGH, "https://x"))
        self.assertEqual((record.fixed_in, told.left_out), ((), (SLASH,)))
        self.assertIn("cannot be asked", record.note or "")

    def test_last_page(self) -> None:
        """The last page has no token, and may be empty."""
        self.assertEqual(parse_page(b'{"Vulnerabilities":[{"Name":"a"}]}', DEBIAN), Page(("a",), None))
        self.assertEqual(parse_page(b'{"Vulnerabilities":null}', DEBIAN), Page((), None))

    def test_malformed_pages(self) -> None:
        """Any other structure is refused, not taken for the end of the list."""
        for body in (
            b"{}",
            b"null",
            b'{"Vulnerabilities":{}}',
            b'{"Vulnerabilities":"x"}',
            b'{"Vulnerabilities":[1]}',
            b'{"Vulnerabilities":[{"Name":1}]}',
            b'{"Vulnerabilities":[{"Name":"\\udc80"}]}',
            b'{"Vulnerabilities":null,"NextPage":7}',
            b'{"Vulnerabilities":[{"Name":"a"}',
            b'{"NextPage":"x"}',
            b'{"Error":{"Message":"x"}}',
        ):
            with self.assertRaises(MalformedDocument):
                parse_page(body, DEBIAN)

    def test_namespaces(self) -> None:
        """The namespaces are ``null`` in a fresh Clair, a list in others."""
        self.assertEqual(parse_namespaces(b'{"Namespaces":null}\n'), ())
        body = b'{"Namespaces":[{"Name":"debian:9","VersionFormat":"dpkg"},{"Name":"lab:x"}]}'
        self.assertEqual(parse_namespaces(body), ("debian:9", "lab:x"))

    def test_malformed_namespaces(self) -> None:
        """Any other structure is refused."""
        for body in (b"{}", b'{"Namespaces":{}}', b'{"Namespaces":["debian:9"]}', b'{"Namespaces":[{"Name":9}]}'):
            with self.assertRaises(MalformedDocument):
                parse_namespaces(body)

    def test_errors(self) -> None:
        """Only a document with the structure of Clair's errors is one of them."""
        self.assertTrue(is_error(b'{"Error":{"Message":"the resource cannot be found"}}\n'))
        for body in (
            b"404 page not found\n",
            b"",
            b"{}",
            b'{"Error":"x"}',
            b'{"Error":{}}',
            b'{"error":{"Message":"x"}}',
        ):
            self.assertFalse(is_error(body))
