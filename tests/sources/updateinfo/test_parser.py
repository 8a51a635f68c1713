"""Tests for :mod:`patches.sources.updateinfo.parser`: small documents, and hostile ones."""

from __future__ import annotations

import io
import tracemalloc
from collections import Counter

from twisted.trial.unittest import SynchronousTestCase

from patches.errors import SourceError
from patches.sources.parse_context import ParseContext
from patches.sources.updateinfo.parser import parse_updateinfo, time_of
from patches.vulnerability import FixedPackage, Severity, Vulnerability

PACKAGE = (
    '<package name="{}" epoch="0" version="2.1" release="3.amzn2023" arch="{}"><filename>x.rpm</filename></package>'
)


def package(name: str, arch: str = "x86_64") -> str:
    """Return a package."""
    return PACKAGE.format(name, arch)


def update(*packages: str, name: str = "ALAS2023-2023-001", kind: str = "security", rest: str = "") -> str:
    """Return an update in Amazon's form."""
    return (
        f'<update author="a@b.test" from="a@b.test" status="final" type="{kind}" version="1.4"><id>{name}</id>'
        f"<title>Amazon Linux 2023 - {name}: important priority package update for made-up</title>"
        f'<issued date="2023-02-17 00:50" /><severity>important</severity>{rest}'
        f'<pkglist><collection short="amazon-linux-2023"><name>Amazon Linux 2023</name>{"".join(packages)}</collection>'
        "</pkglist></update>"
    )


def document(*updates: str) -> bytes:
    """Return a document."""
    return ('<?xml version="1.0" ?>\n<updates>' + "\n".join(updates) + "</updates>\n").encode()


def parse(content: bytes, platform: str = "amazon-2023") -> tuple[list[Vulnerability], Counter[str]]:
    """Parse a document."""
    context = ParseContext("amazon")
    return list(parse_updateinfo(io.BytesIO(content), platform, context)), context.skipped


class DocumentTests(SynchronousTestCase):
    """Documents that the tests create."""

    def only(self, content: str) -> Vulnerability:
        """Parse a document of one update, and check that nothing is skipped."""
        (found,), skipped = parse(document(content))
        self.assertEqual(skipped, {})
        return found

    def test_amazon(self) -> None:
        """An advisory keeps its name; its CVEs are aliases; an epoch is always written."""
        references = (
            '<references><reference href="https://cve.test/CVE-2022-0002" id="CVE-2022-0002" title="" type="cve" />'
            '<reference href="https://cve.test/CVE-2022-0001" id="CVE-2022-0001" title="" type="cve" /></references>'
        )
        found = self.only(update(package("curl"), rest=references))
        self.assertEqual(
            found,
            Vulnerability(
                name="ALAS2023-2023-001",
                platform="amazon-2023",
                fixed_in=(FixedPackage("curl", "0:2.1-3.amzn2023", "binary", arches=("x86_64",)),),
                severity=Severity.HIGH,
                details_href="https://cve.test/CVE-2022-0002",
                aliases=("CVE-2022-0001", "CVE-2022-0002"),
                source="amazon",
                published="2023-02-17T00:50:00Z",
                title="Amazon Linux 2023 - ALAS2023-2023-001: important priority package update for made-up",
            ),
        )

    def test_modules(self) -> None:
        """Each collection has its own module; without one its packages are plain."""
        module = '<module name="nodejs" stream="18" version="8100020240807" context="489197e6" arch="x86_64"/>'
        plain = f'</collection><collection short="b">{package("nodejs")}{package("zlib")}'
        found = self.only(update(module, package("nodejs"), plain))
        self.assertEqual(
            [(each.name, each.module) for each in found.fixed_in],
            [("nodejs", None), ("nodejs", "nodejs:18"), ("zlib", None)],
        )

    def test_arches(self) -> None:
        """
        The architectures of a package are merged; a package for every machine has none; source packages are skipped.
        """
        packages = [package("curl", arch) for arch in ("x86_64", "src", "aarch64", "x86_64", "i686")]
        found = self.only(
            update(*packages, package("doc", "noarch"), package("doc", "x86_64"), package("raw", "nosrc"))
        )
        arches = {each.name: each.arches for each in found.fixed_in}
        self.assertEqual(arches, {"curl": ("aarch64", "i686", "x86_64"), "doc": None})

    def test_page(self) -> None:
        """The advisory's own page takes precedence over those of its CVEs; other texts are not used."""
        references = (
            '<references><reference href="https://cve.test/1" id="CVE-2022-0001" type="cve"/>'
            '<reference href="https://errata.test/1" id="RLSA-2022:0001" type="self"/></references>'
        )
        self.assertEqual(self.only(update(package("curl"), rest=references)).details_href, "https://errata.test/1")
        references = '<references><reference href="javascript:1" id="CVE-2022-0001" type="cve"/></references>'
        self.assertEqual(self.only(update(package("curl"), rest=references)).details_href, "")

    def test_fedora(self) -> None:
        """Without references to CVEs, the ids are taken from the titles; descriptions mention others too."""
        references = (
            "<description>Unlike CVE-2022-9999, this is bad.</description><references>"
            '<reference href="https://bugzilla.test/1" id="1" type="bugzilla" title="CVE-2022-0003 curl: bad"/>'
            "</references>"
        )
        found = self.only(update(package("curl"), name="FEDORA-2022-abc", rest=references))
        self.assertEqual((found.name, found.aliases), ("FEDORA-2022-abc", ("CVE-2022-0003",)))

    def test_left_out(self) -> None:
        """
        Advisories that are not about security, or malformed, are skipped and counted; a package with an invalid version
        is unreadable.
        """
        bad = package("a b") + package("curl").replace('version="2.1"', 'version="2-1"') + package("curl", "")
        found, skipped = parse(
            document(
                update(package("curl"), kind="bugfix"),
                update(package("curl"), kind="enhancement"),
                update(package("curl"), name=""),
                update(package("curl"), name="A-1").replace('status="final"', 'status="retracted"'),
                update(name="A-2"),
                update(bad, package("zlib"), name="A-3"),
                "<other/>",
            )
        )
        self.assertEqual([each.name for each in found], ["A-3"])
        note = "the version 0:2-1-3.amzn2023 is not valid"
        unreadable = FixedPackage("curl", None, "binary", status="unreadable", note=note)
        missing = FixedPackage("curl", None, "binary", status="unreadable", note="the architecture is not valid")
        self.assertEqual([each.name for each in found[0].fixed_in], ["curl", "curl", "zlib"])
        self.assertEqual(found[0].fixed_in[:2], (missing, unreadable))
        counted = {"not security": 2, "not a record": 2, "withdrawn": 1, "not a package": 2, "unreadable": 2}
        self.assertEqual(skipped, counted)

    def test_types(self) -> None:
        """The type is read in any case; an advisory without a type is lost."""
        for kind in ("Security", "SECURITY", " security "):
            self.assertEqual(len(parse(document(update(package("curl"), kind=kind)))[0]), 1, kind)
        without = update(package("curl")).replace(' type="security"', "")
        for text in (update(package("curl"), kind=""), without):
            self.assertEqual(parse(document(text)), ([], {"no type": 1}))

    def test_empty(self) -> None:
        """A repository may have no advisories yet."""
        self.assertEqual(parse(document()), ([], {}))
        self.assertEqual(parse(b"<updates/>"), ([], {}))

    def test_dates(self) -> None:
        """Dates are parsed in all forms that repositories use."""
        for text, time in {
            "2023-02-17T00:50:00Z": "2023-02-17T00:50:00Z",
            "2023-02-17T02:50:00+02:00": "2023-02-17T00:50:00Z",
            "2023-02-17 00:50:01": "2023-02-17T00:50:01Z",
            "2023-02-17 00:50": "2023-02-17T00:50:00Z",
            "2023-02-17 00:50:00 UTC": "2023-02-17T00:50:00Z",
            "2023-02-17": "2023-02-17T00:00:00Z",
            "1434372493": "2015-06-15T12:48:13Z",
            "0001-01-01 00:00:00": None,
            "0001-01-01T00:00:00+14:00": None,
            "99999999999": "5138-11-16T09:46:39Z",
            "yesterday": None,
            "": None,
        }.items():
            self.assertEqual(time_of(text), time, text)

    def test_another_format(self) -> None:
        """Another document, or only a part of one, is refused."""
        whole = document(update(package("curl")))
        for content in (b"", b"{}", b"<html></html>", b"\x00", b"<updates>", whole[:-12], whole + b"<updates/>"):
            with self.assertRaisesRegex(SourceError, r"^(not XML: .*|its root is not <updates>)$"):
                parse(content)


class MemoryTests(SynchronousTestCase):
    """Long documents."""

    def peak(self, updates: int) -> int:
        """Return the peak of allocated bytes while a document is parsed."""
        content = io.BytesIO(document(*[update(package("curl"))] * updates))
        tracemalloc.start()
        try:
            found = sum(1 for _ in parse_updateinfo(content, "amazon-2023", ParseContext("amazon")))
            self.assertEqual(found, updates)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    def test_bounded(self) -> None:
        """Memory does not grow with a document."""
        few, many = self.peak(400), self.peak(4000)
        self.assertLess(many, 1.5 * few)
