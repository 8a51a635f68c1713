"""Tests for :mod:`patches.sources.csaf.parser`: small documents, of every state."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.errors import SourceError
from patches.sources.csaf.parser import parse_csaf
from patches.sources.parse_context import ParseContext
from patches.sources.red_hat import RpmPurl
from patches.vulnerability import FixedPackage, Severity, Vulnerability
from tests.sources.vex_documents import CVE, document, parse, part, remedy, simple


class FixTests(SynchronousTestCase):
    """Packages with a fix."""

    def test_fixed(self) -> None:
        """A package is fixed in one version, with all its architectures; its source package is skipped."""
        purls = {
            f"curl.{arch}": f"pkg:rpm/redhat/curl@8.0-1.el9%2B2?arch={arch}&epoch=1"
            for arch in ("x86_64", "aarch64", "src")
        }
        purls["doc.noarch"] = "pkg:rpm/redhat/curl-doc@8.0-1.el9?arch=noarch"
        ids = [f"BaseOS-9:{key}" for key in purls]
        found, skipped = parse(
            document(
                purls,
                [part("BaseOS-9", key) for key in purls],
                product_status={"fixed": ids},
                remediations=[
                    remedy("vendor_fix", *ids, url="https://access.test/errata/RHSA-2024:0002"),
                    remedy("vendor_fix", "other", url="https://access.test/errata/RHSA-2024:0009"),
                    remedy("workaround", *ids, url="https://access.test/errata/RHSA-2024:0008"),
                ],
                scores=[{"cvss_v3": {"vectorString": "CVSS:3.1/AV:N", "baseScore": 7.5}, "products": ids}],
                threats=[{"category": "impact", "details": "Important", "product_ids": ids}],
            )
        )
        self.assertEqual(skipped, {})
        expected = Vulnerability(
            name=CVE,
            platform="rhel-9",
            fixed_in=(
                FixedPackage("curl", "1:8.0-1.el9+2", "binary", arches=("aarch64", "x86_64")),
                FixedPackage("curl-doc", "0:8.0-1.el9", "binary"),
            ),
            severity=Severity.HIGH,
            details_href=f"https://access.test/{CVE}",
            aliases=("RHSA-2024:0002",),
            source="redhat",
            published="2024-01-02T00:00:00+00:00",
            cvss="CVSS:3.1/AV:N",
        )
        self.assertEqual(found, {"rhel-9": expected})

    def test_modules(self) -> None:
        """A module is between a package and its repository, or in the package's own URL."""
        built = "pkg:rpm/redhat/nodejs@18.1-1.module%2Bel8?arch=x86_64"
        purls = {
            "nodejs": built,
            "nodejs:18:8100:489": "pkg:rpmmod/redhat/nodejs@18:8100:489",
            "npm": "pkg:rpm/redhat/npm@9-1.module%2Bel8?arch=x86_64&rpmmod=nodejs:18:8100:489",
        }
        relationships = [
            part("AppStream-8", "nodejs:18:8100:489"),
            part("AppStream-8:nodejs:18:8100:489", "nodejs", "AppStream-8:nodejs:18:8100:489:nodejs"),
            part("AppStream-8", "npm"),
        ]
        ids = ["AppStream-8:nodejs:18:8100:489", "AppStream-8:nodejs:18:8100:489:nodejs", "AppStream-8:npm"]
        found, skipped = parse(document(purls, relationships, product_status={"fixed": ids}))
        packages = {each.name: (each.version, each.module) for each in found["rhel-8"].fixed_in}
        expected = {"nodejs": ("0:18.1-1.module+el8", "nodejs:18"), "npm": ("0:9-1.module+el8", "nodejs:18")}
        self.assertEqual((packages, skipped), (expected, {}))

    def test_other_products(self) -> None:
        """Layered products are ignored; a document about them only is counted."""
        purls = {"curl": "pkg:rpm/redhat/curl@8-1.el8?arch=x86_64"}
        others = ["OpenShift"]
        relationships = [part(of, "curl") for of in (*others, "AppStream-8")]
        ids = [f"{of}:curl" for of in others]
        self.assertEqual(parse(document(purls, relationships, product_status={"fixed": ids})), ({}, {"not in RHEL": 1}))
        found, _ = parse(document(purls, relationships, product_status={"fixed": [*ids, "AppStream-8:curl"]}))
        self.assertEqual(set(found), {"rhel-8"})

    def test_longer_support(self) -> None:
        """A product with longer support is a track of its release."""
        purls = {name: f"pkg:rpm/redhat/curl@{name}-1.el8?arch=x86_64" for name in ("7", "8")}
        relationships = [part("AppStream-8.6-EUS", "7"), part("AppStream-8", "8")]
        status = {"fixed": ["AppStream-8.6-EUS:7", "AppStream-8:8"]}
        found, skipped = parse(document(purls, relationships, product_status=status))
        tracks = {package.track: package.version for package in found["rhel-8"].fixed_in}
        self.assertEqual((tracks, skipped), ({None: "0:8-1.el8", "eus-8.6": "0:7-1.el8"}, {}))


class DocumentTests(SynchronousTestCase):
    """Documents as a whole."""

    def test_severity(self) -> None:
        """Each release has its own impact; without one that of the document is used."""
        purls = {"a": "pkg:rpm/redhat/a?arch=src"}
        releases = ["rhel_7", "rhel_8", "rhel_9"]
        threats = [
            {"category": "impact", "details": "Low", "product_ids": ["rhel_8:a"]},
            {"category": "impact", "details": "Critical", "product_ids": ["rhel_9:a"]},
            {"category": "exploit_status", "details": "Important", "product_ids": ["rhel_7:a"]},
        ]
        status = {"known_affected": [f"{release}:a" for release in releases]}
        found, _ = parse(
            document(purls, [part(release, "a") for release in releases], product_status=status, threats=threats)
        )
        severities = {platform: each.severity for platform, each in found.items()}
        self.assertEqual(severities, {"rhel-7": Severity.MEDIUM, "rhel-8": Severity.LOW, "rhel-9": Severity.CRITICAL})
        everything = [{"category": "impact", "details": "Low"}]
        self.assertEqual(parse(simple(threats=everything))[0]["rhel-9"].severity, Severity.LOW)

    def test_left_out(self) -> None:
        """Deleted documents, rejected CVEs and other documents are skipped."""
        deleted = simple()
        deleted["document"]["tracking"]["status"] = "deleted"
        advisory = simple()
        advisory["document"]["category"] = "csaf_security_advisory"
        zero = [{"cvss_v3": {"baseScore": 0.0, "vectorString": "CVSS:3.1/AV:N"}, "products": ["rhel_9:curl"]}]
        rated = [{"category": "impact", "details": "Low", "product_ids": ["rhel_9:curl"]}]
        found, skipped = parse(deleted, advisory, simple(scores=zero), 7, {}, simple(cve="a b"))
        self.assertEqual(found, {})
        self.assertEqual(skipped, {"withdrawn": 1, "not a record": 3, "rejected": 1, "no vulnerability id": 1})
        self.assertEqual(set(parse(simple(scores=zero, threats=rated))[0]), {"rhel-9"})

    def test_wanted(self) -> None:
        """Platforms that are not served are ignored, and not counted."""
        self.assertEqual(parse(simple(), wanted=("rhel-8",)), ({}, {}))
        self.assertEqual(set(parse(simple(), wanted=("rhel-9",))[0]), {"rhel-9"})

    def test_another_format(self) -> None:
        """Files without a VEX document are refused."""
        for members in ([], [("a.json", b"{}")], [("a.json", b"\xff"), ("b.json", b"[" * 100_000)]):
            with self.assertRaisesRegex(SourceError, rf"^none of its {len(members)} members is a VEX document"):
                list(parse_csaf(members, ParseContext("redhat")))

    def test_malformed(self) -> None:
        """No value in any place raises an unexpected error."""
        for key in ("product_status", "remediations", "scores", "threats", "references", "release_date"):
            for value in (None, 7, "x", [7], {"x": 7}, [{"product_ids": 7, "category": []}], {"fixed": [7, {}]}):
                found, _ = parse(simple(**{key: value}), simple(cve="CVE-2024-0002"), wanted=("rhel-8",))
                self.assertEqual(found, {})
                parse(simple(**{key: value}))
        for value in (None, 7, [], {"branches": 7}, {"branches": [{"product": 7}], "relationships": [7, {}]}):
            broken = {**simple(), "product_tree": value}
            self.assertEqual(parse(broken), ({}, {"unknown product": 1}))
        for value in (None, 7, [], {}, [7], "x"):
            self.assertEqual(parse({**simple(), "vulnerabilities": value}), ({}, {"not a record": 1}))

    def test_unreadable(self) -> None:
        """A package that cannot be read is unreadable, in any state; unknown ids count once per document."""
        purls = {"curl": "pkg:rpm/redhat/curl%zz@8-1.el9?arch=x86_64", "wget": "pkg:rpm/redhat/wget?arch=src"}
        relationships = [part("rhel_9", each) for each in ("curl", "wget", "bash")]
        status = {"fixed": ["rhel_9:curl", "x", "y"], "known_affected": ["rhel_9:wget", "rhel_9:bash", 7]}
        found, skipped = parse(document(purls, relationships, product_status=status))
        statuses = {(each.name, each.kind, each.status) for each in found["rhel-9"].fixed_in}
        names = {("bash", "source", "unreadable"), ("curl", "source", "unreadable"), ("wget", "source", "affected")}
        self.assertEqual((statuses, skipped), (names, {"unreadable": 2, "unknown product": 1}))

    def test_nothing_known(self) -> None:
        """Without a known product a document is lost; without any product it is not."""
        for status in ({"fixed": ["x"]}, {"fixed": 7}, 7, None):
            self.assertEqual(parse(simple(product_status=status)), ({}, {"unknown product": 1}), status)
        self.assertEqual(parse(simple(product_status={})), ({}, {"not in RHEL": 1}))

    def test_circle(self) -> None:
        """Relationships that form a circle are followed to a limit."""
        purls = {"a": "pkg:rpm/redhat/a?arch=src"}
        circle = [part("x", "y", "y"), part("y", "x", "x")]
        self.assertEqual(
            parse(document(purls, circle, product_status={"fixed": ["x", "y"]}))[1], {"unknown product": 1}
        )


class PurlTests(SynchronousTestCase):
    """Package URLs."""

    def test_read(self) -> None:
        """Packages and modules are parsed."""
        for text, purl in {
            "pkg:rpm/redhat/a@1-2?arch=x86_64": RpmPurl("a", "0:1-2", "x86_64"),
            "pkg:rpm/redhat/a@1-2?epoch=3&arch=i686": RpmPurl("a", "3:1-2", "i686"),
            "pkg:rpm/redhat/libstdc%2B%2B@1-2": RpmPurl("libstdc++", "0:1-2"),
            "pkg:rpm/redhat/a?arch=src": RpmPurl("a", None, "src"),
            "pkg:rpm/redhat/a@1": RpmPurl("a"),
            "pkg:rpm/redhat/a@1-2?epoch=x": RpmPurl("a"),
            "pkg:rpm/redhat/a@1-2?rpmmod=b:c:1:2#sub": RpmPurl("a", "0:1-2", None, "b:c"),
            "pkg:rpm/redhat/a@1-2?rpmmod=b": RpmPurl("a", "0:1-2"),
            "pkg:rpmmod/redhat/b@c:1:2": RpmPurl("", module="b:c"),
        }.items():
            self.assertEqual(RpmPurl.from_text(text), purl, text)

    def test_others(self) -> None:
        """Images, other vendors' packages and other texts are refused."""
        for text in (
            "pkg:oci/redhat/a@1",
            "pkg:rpm/suse/a@1-2",
            "pkg:rpm/redhat/a/b@1-2",
            "pkg:rpm/redhat/a%20b",
            "",
            "a",
        ):
            self.assertIsNone(RpmPurl.from_text(text), text)
