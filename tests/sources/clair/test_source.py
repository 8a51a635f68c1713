"""Tests for :mod:`patches.sources.clair.source`: complete walks over a double of Clair in memory."""

from __future__ import annotations

from zope.interface.verify import verifyObject

from patches.errors import PlatformNotListed
from patches.interfaces import IListing, ISource
from patches.platforms import InvalidPlatform
from patches.skipped import UNREADABLE
from patches.sources.clair.source import ClairSettings
from patches.sources.fetch.retry import FetchSettings
from patches.sources.ids import named_ids
from patches.vulnerability import FixedPackage
from tests.sources.clair_in_memory import MemoryCase, named

#: Names as they occur, and worse ones.
ODD_NAMES = [
    "CVE-2019-5060 TALOS-2019-0844",
    "CVE-2018-3620   XSA-273",
    "CVE-????-?????  XSA-295",
    "CVE-2018-10105 (SMB - too unreliably reproduced, SMB printing disabled)",
    "RHSA-2015:1193",
    "100%",
    "100%25",
    "a+b",
    "a&b=c#d;e",
    "Ünïcödé-中-é",
    "..",
    "'\"<>\\^`{|}~[]@!$*",
    "CVE\n1",
]


class SourceTests(MemoryCase):
    """The source."""

    def test_interfaces(self) -> None:
        """A source and its listings provide their interfaces."""
        self.assertTrue(verifyObject(ISource, self.source()))
        self.assertTrue(verifyObject(IListing, self.source().listing("debian-9")))

    def test_platforms(self) -> None:
        """The platforms are those of the namespaces, sorted; a namespace without a platform is ignored."""
        for namespace in ("ubuntu:18.04", "alpine:v3.8", "Lab:1", "debian:11", "alpine:3.8"):
            self.double.add_namespace(namespace)
        platforms = self.successResultOf(self.deferred(self.source().platforms()))
        self.assertEqual(platforms, ["alpine-3.8", "debian-11", "ubuntu-18.04"])

    def test_no_platforms_yet(self) -> None:
        """A fresh Clair has no platforms."""
        self.assertEqual(self.successResultOf(self.deferred(self.source().platforms())), [])

    def test_base_url_with_a_path(self) -> None:
        """A path in the base URL is kept, with or without a slash at its end."""
        for base_url in ("http://proxy.test/a/clair", "https://proxy.test/a/clair/"):
            self.successResultOf(self.deferred(self.ask_in_vain(base_url)))
            self.assertEqual(self.double.targets.pop(), "/a/clair/v1/namespaces")

    def test_bad_base_urls(self) -> None:
        """A text that is not the URL of a Clair is refused at once, and not repeated, as it may contain a password."""
        for url in (
            "clair:6060",
            "http://[fe80::1%eth0]:6060",
            "ftp://clair",
            "http://",
            "http://u:secret@clair",
            "http://c/?x",
            "http://c:x",
            "http://a b",
        ):
            with self.assertRaises(ValueError) as caught:
                self.source(url)
            self.assertNotIn("secret", str(caught.exception))

    def test_bad_settings(self) -> None:
        """Settings with which nothing could be read, or without an end, are refused."""
        with self.assertRaises(ValueError):
            ClairSettings(page_size=0)
        with self.assertRaises(ValueError):
            FetchSettings(parallel=0)
        with self.assertRaises(ValueError):
            self.source(rate=0.0)

    def test_invalid_platform(self) -> None:
        """A text that is not a platform name causes no request."""
        with self.assertRaises(InvalidPlatform):
            self.source().listing("debian:9")

    async def ask_in_vain(self, base_url: str) -> None:
        """Request the platforms at a wrong URL."""
        try:
            await self.source(base_url).platforms()
        except Exception as error:
            self.assertIn("404", str(error))


class WalkTests(MemoryCase):
    """Lists that are read to the end."""

    def test_pages(self) -> None:
        """A list of many pages is read completely, in its order; each vulnerability is requested once."""
        names = [f"CVE-{number}" for number in range(10)]
        for page_size, pages in ((3, 4), (5, 2), (10, 1), (1, 10), (999, 1)):
            self.double.requests.clear()
            self.double.load("debian:9", named(*names))
            listing = self.source(page_size=page_size).listing("debian-9")
            self.assertEqual([vulnerability.name for vulnerability in self.read(listing)], names)
            self.assertEqual(self.double.requests, {"list": 2 * pages, "details": 11})
            self.assertEqual(listing.skipped, {})

    def test_nothing_asked_before_it_is_read(self) -> None:
        """A listing sends no request before its iteration, and can be iterated over once only."""
        self.double.load("debian:9", named("CVE-1"))
        listing = self.source().listing("debian-9")
        self.assertEqual(self.double.requests, {})
        self.read(listing)
        with self.assertRaises(RuntimeError):
            listing.__aiter__()

    def test_tokens_are_encoded(self) -> None:
        """A page's token is sent back percent-encoded."""
        self.double.load("debian:9", named("CVE-1", "CVE-2"))
        self.read(self.source(page_size=1).listing("debian-9"))
        first, second, *_ = [target for target in self.double.targets if "limit" in target]
        self.assertEqual(first, "/v1/namespaces/debian%3A9/vulnerabilities?limit=1")
        path = r"^/v1/namespaces/debian%3A9/vulnerabilities"
        self.assertRegex(second, rf"{path}\?limit=1&page=[A-Za-z0-9_-]+%3D%3D$")

    def test_empty(self) -> None:
        """A namespace without vulnerabilities has an empty list."""
        self.double.add_namespace("debian:9")
        self.assertEqual(self.read(self.source().listing("debian-9")), [])

    def test_not_listed(self) -> None:
        """A missing namespace is an error, not an empty list."""
        message = self.refusal(self.source().listing("debian-99"), PlatformNotListed)
        self.assertIn("debian:99", message)

    def test_packages(self) -> None:
        """
        Every package is read, sorted; one without a fix is affected; a vulnerability without packages is read too.
        """
        fixes = [
            {"Name": f"p{number:03}", "Version": "None" if number == 7 else "1"} for number in reversed(range(221))
        ]
        self.double.load("centos:7", [{"Name": "RHSA-1", "FixedIn": fixes}, {"Name": "RHSA-2"}], "rpm")
        many, none = self.read(self.source().listing("centos-7"))
        self.assertEqual([package.name for package in many.fixed_in], [f"p{number:03}" for number in range(221)])
        self.assertEqual(many.fixed_in[7], FixedPackage("p007", None, "binary", status="affected"))
        self.assertEqual(many.platform, "centos-7")
        self.assertEqual(none.fixed_in, ())

    def test_odd_names(self) -> None:
        """For any name, its own packages are fetched; the record is named by the id in it."""
        vulnerabilities = [{"Name": name, "FixedIn": [{"Name": name, "Version": "1"}]} for name in ODD_NAMES]
        self.double.load("alpine:v3.8", vulnerabilities)
        read = self.read(self.source().listing("alpine-3.8"))
        self.assertEqual(
            [(found.name, found.affected_package) for found in read],
            [(named_ids(name)[0].name, name) for name in ODD_NAMES],
        )

    def test_plain_treq(self) -> None:
        """They are fetched with plain treq too, which changes headers."""
        self.double.load("alpine:v3.8", named(*ODD_NAMES))
        reading = self.reading(self.stub_source().listing("alpine-3.8"))
        self.clock.advance(5)
        self.assertEqual(len(self.successResultOf(reading)), len(ODD_NAMES))

    def test_names_with_a_slash(self) -> None:
        """A name with a slash cannot be requested: it is counted, and its record has no package but says why."""
        self.double.load("alpine:v3.10", named("CVE-1", "CVE-2018-14466 (AFS/RX)", "/", "CVE-2"))
        listing = self.source().listing("alpine-3.10")
        found = self.read(listing)
        self.assertEqual([each.name for each in found], ["CVE-1", "CVE-2018-14466", "/", "CVE-2"])
        for each in found[1:3]:
            self.assertEqual((each.fixed_in, each.platform), ((), "alpine-3.10"))
            self.assertIn("Clair cannot be asked", each.note or "")
        self.assertEqual(listing.skipped, {"name with a slash": 2})
        self.assertEqual(self.double.requests["details"], 3)

    def test_nameless(self) -> None:
        """An entry without a name cannot be fetched either."""
        self.double.load("debian:9", named("", "CVE-1"))
        listing = self.source().listing("debian-9")
        self.assertEqual(len(self.read(listing)), 1)
        self.assertEqual(listing.skipped, {"no name": 1})

    def test_packages_left_out(self) -> None:
        """A package without a version is unreadable, and counted."""
        fixes = [{"Name": "a", "Version": ""}, {"Name": "b", "Version": "1"}]
        self.double.load("debian:9", [{"Name": "CVE-1", "FixedIn": fixes}])
        listing = self.source().listing("debian-9")
        (found,) = self.read(listing)
        self.assertEqual([(each.name, each.status) for each in found.fixed_in], [("a", "unreadable"), ("b", "fixed")])
        self.assertEqual(listing.skipped, {UNREADABLE: 1})
