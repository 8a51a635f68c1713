"""Tests for :mod:`patches.sources.csaf.statuses`."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from patches.sources.csaf.products import Component, ProductTree
from patches.sources.csaf.statuses import ReleaseStatements, releases_of
from patches.sources.parse_context import ParseContext
from patches.sources.red_hat import ProductRelease, RpmPurl
from patches.vulnerability import FixedPackage
from tests.sources.vex_documents import document, parse, part, remedy


def component(
    name: str,
    version: str | None = None,
    arch: str | None = None,
    module: str | None = None,
    track: str | None = None,
) -> Component:
    """Return a package of RHEL 9."""
    return Component(ProductRelease("rhel-9", track), RpmPurl(name, version, arch), module)


class ReleaseTests(SynchronousTestCase):
    """The statements about one release."""

    def test_fixed(self) -> None:
        """
        A fix has a binary package, a version and architectures; source packages are skipped, and a package without a
        version is unreadable.
        """
        release = ReleaseStatements()
        for each in (
            component("curl", "0:8-1", "x86_64"),
            component("curl", "0:8-1", "aarch64"),
            component("curl", "0:8-1", "src"),
            component("curl", "0:8-1"),
            component("curl", None, "x86_64"),
            component("doc", "0:8-1", "noarch"),
        ):
            release.add(each, "fixed")
        expected = (
            FixedPackage("curl", "0:8-1", "binary", arches=("aarch64", "x86_64")),
            FixedPackage("doc", "0:8-1", "binary"),
        )
        unreadable = FixedPackage("curl", None, "binary", status="unreadable", note="the fix has no valid version")
        self.assertEqual(set(release.packages(ParseContext("redhat"))), {*expected, unreadable})

    def test_unfixed(self) -> None:
        """A package without a fix has no version, whatever its product id says."""
        release = ReleaseStatements()
        release.add(component("curl", "0:8-1"), "affected")
        release.add(component("bin", "0:8-1", "x86_64", "a:1"), "deferred")
        expected = {
            FixedPackage("curl", None, "source", status="affected"),
            FixedPackage("bin", None, "binary", status="deferred", arches=("x86_64",), module="a:1"),
        }
        self.assertEqual(set(release.packages(ParseContext("redhat"))), expected)

    def test_contradiction(self) -> None:
        """A package that is unaffected in one product is affected if it is in another, but per kind and module."""
        release = ReleaseStatements()
        for module in (None, "a:1"):
            release.add(component("curl", module=module), "not_affected")
        release.add(component("curl"), "will_not_fix")
        found = {(package.module, package.status) for package in release.packages(ParseContext("redhat"))}
        self.assertEqual(found, {(None, "will_not_fix"), ("a:1", "not_affected")})

    def test_tracks(self) -> None:
        """The statements of a track are its own: they neither contradict nor complete those of the main line."""
        release = ReleaseStatements()
        release.add(component("curl", "0:8-1", "x86_64"), "fixed")
        release.add(component("curl", "0:7-3", "x86_64", track="eus-9.0"), "fixed")
        release.add(component("wget"), "affected")
        release.add(component("wget", track="eus-9.0"), "not_affected")
        found = {
            (package.name, package.track, package.version, package.status)
            for package in release.packages(ParseContext("redhat"))
        }
        expected = {("curl", None, "0:8-1", "fixed"), ("curl", "eus-9.0", "0:7-3", "fixed")}
        expected |= {("wget", None, None, "affected"), ("wget", "eus-9.0", None, "not_affected")}
        self.assertEqual(found, expected)

    def test_concerns(self) -> None:
        """A statement without product ids is about all releases, another one about those of its ids."""
        release = ReleaseStatements({"a", "b"})
        for ids in (None, "x", {}, ["a"], ["x", 7, "b"]):
            self.assertTrue(release.concerns(ids), ids)
        for ids in ([], ["x"], [7, None, ["a"]]):
            self.assertFalse(release.concerns(ids), ids)


class ReleasesTests(SynchronousTestCase):
    """Vulnerabilities of a document."""

    def test_by_platform(self) -> None:
        """The packages of each release are separate, and other products are ignored."""
        names = ["BaseOS-9", "rhel_8", "OpenShift"]
        whole = document({"a": "pkg:rpm/redhat/a?arch=src"}, [part(name, "a") for name in names])
        products = ProductTree(whole["product_tree"])
        ids = [f"{name}:a" for name in names]
        found, _ = releases_of({"product_status": {"known_affected": ids, "first_affected": ids}}, products)
        self.assertEqual(
            {name: release.ids for name, release in found.items()}, {"rhel-9": {ids[0]}, "rhel-8": {ids[1]}}
        )

    def test_malformed(self) -> None:
        """Malformed statements are ignored."""
        products = ProductTree(document({"a": "pkg:rpm/redhat/a"}, [part("rhel_9", "a")])["product_tree"])
        for status in (None, 7, [], {"fixed": 7, "known_affected": [7, None, {}]}):
            self.assertEqual(releases_of({"product_status": status}, products)[0], {})
        remediations = [7, {"category": 7}, remedy("no_fix_planned", "rhel_9:a", details=7)]
        status = {"known_affected": ["rhel_9:a"]}
        found, _ = releases_of({"product_status": status, "remediations": remediations}, products)
        self.assertEqual([each.status for each in found["rhel-9"].packages(ParseContext("redhat"))], ["will_not_fix"])


class StateTests(SynchronousTestCase):
    """Packages without a fix."""

    def statuses(self, remediations: list[dict[str, Any]], **status: list[str]) -> dict[str, tuple[str, str]]:
        """Return the status and the kind of each package."""
        purls = {name: f"pkg:rpm/redhat/{name}?arch=src" for name in "abcdef"}
        purls["bin"] = "pkg:rpm/redhat/bin?arch=x86_64"
        purls["bare"] = "pkg:rpm/redhat/bare"
        relationships = [part("rhel_9", name) for name in purls]
        ids = {name: [f"rhel_9:{each}" for each in names] for name, names in status.items()}
        found, skipped = parse(document(purls, relationships, product_status=ids, remediations=remediations))
        self.assertEqual(skipped, {})
        self.assertEqual({each.version for each in found["rhel-9"].fixed_in}, {None})
        return {each.name: (each.status, each.kind) for each in found["rhel-9"].fixed_in}

    def test_reasons(self) -> None:
        """The remediations contain the reason why there is no fix; their text takes precedence over the category."""
        remediations = [
            remedy("none_available", "rhel_9:a", details="Affected"),
            remedy("none_available", "rhel_9:b", details="Fix deferred"),
            remedy("no_fix_planned", "rhel_9:c", details="Will not fix"),
            remedy("no_fix_planned", "rhel_9:d", details="Out of support scope"),
            remedy("no_fix_planned", "rhel_9:e"),
            remedy("workaround", "rhel_9:f", details="Will not fix"),
        ]
        states = {name: status for name, (status, _) in self.statuses(remediations, known_affected=[*"abcdef"]).items()}
        expected = {"a": "affected", "b": "deferred", "c": "will_not_fix", "d": "end_of_life", "e": "will_not_fix"}
        self.assertEqual(states, {**expected, "f": "affected"})

    def test_kinds(self) -> None:
        """A package without an architecture, or with that of a source package, is a source package."""
        found = self.statuses([], known_affected=["a", "bin", "bare"])
        self.assertEqual(
            {name: kind for name, (_, kind) in found.items()}, {"a": "source", "bin": "binary", "bare": "source"}
        )

    def test_other_states(self) -> None:
        """Under investigation and not affected are statuses of their own."""
        remediations = [remedy("no_fix_planned", "rhel_9:a", "rhel_9:b", details="Will not fix")]
        found = self.statuses(remediations, under_investigation=["a"], known_not_affected=["b"])
        self.assertEqual(
            {name: status for name, (status, _) in found.items()}, {"a": "under_investigation", "b": "not_affected"}
        )

    def test_contradiction(self) -> None:
        """A package that is unaffected in one repository, and affected in another of the release, is affected."""
        purls = {"a": "pkg:rpm/redhat/a?arch=src"}
        status = {"known_affected": ["rhel_9:a"], "known_not_affected": ["BaseOS-9:a"]}
        found, _ = parse(document(purls, [part("rhel_9", "a"), part("BaseOS-9", "a")], product_status=status))
        self.assertEqual([each.status for each in found["rhel-9"].fixed_in], ["affected"])

    def test_modules(self) -> None:
        """Streams have statuses of their own; the versions in their product ids are ignored."""
        purls = {
            "go-toolset:rhel8/go-toolset": "pkg:rpm/redhat/go-toolset@rhel8?arch=src&rpmmod=go-toolset:rhel8",
            "postgresql:15/postgresql": "pkg:rpmmod/redhat/postgresql:15/postgresql",
        }
        ids = [f"rhel_8:{key}" for key in purls]
        found, _ = parse(
            document(purls, [part("rhel_8", key) for key in purls], product_status={"known_affected": ids})
        )
        rows = {(each.name, each.kind, each.version, each.module) for each in found["rhel-8"].fixed_in}
        self.assertEqual(
            rows,
            {("go-toolset", "source", None, "go-toolset:rhel8"), ("postgresql", "source", None, "postgresql:15")},
        )
