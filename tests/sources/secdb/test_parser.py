"""Tests for :mod:`patches.sources.secdb.parser`: small documents, malformed ones, and complete real ones."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from patches.errors import SourceError
from patches.sources.archive.decompress import open_feed
from patches.sources.parse_context import ParseContext
from patches.sources.regroup import FragmentStore
from patches.sources.secdb.parser import parse_secdb
from patches.versions import InvalidVersion
from patches.versions.apk import sort_key
from patches.vulnerability import FOLLOWED, FixedPackage, Vulnerability
from tests.shared_data import shared


def document(**packages: dict[str, Any]) -> bytes:
    """Return a document of packages and their fixes."""
    listed = [{"pkg": {"name": name, "secfixes": fixes}} for name, fixes in packages.items()]
    return json.dumps({"distroversion": "v3.20", "packages": listed, "reponame": "main"}).encode()


def parse(content: bytes, platform: str = "alpine-3.20") -> tuple[list[Vulnerability], Counter[str]]:
    """Parse a document; the list of followed packages is not among the result."""
    context = ParseContext("secdb")
    found = [each for each in parse_secdb(io.BytesIO(content), platform, context) if not each.followed]
    return found, context.skipped


class DocumentTests(SynchronousTestCase):
    """Documents that the tests create."""

    def fixes(self, fixes: dict[str, Any], **skipped: int) -> dict[str, FixedPackage]:
        """Return the fixes of one package by vulnerability id, and check the skipped entries."""
        found, counter = parse(document(curl=fixes))
        self.assertEqual(counter, {name.replace("_", " "): count for name, count in skipped.items()})
        self.assertEqual(len({part.name for part in found}), len(found))
        return {part.name: part.fixed_in[0] for part in found}

    def test_fixes(self) -> None:
        """A key is the first fixed version; 0 means that the package was never affected."""
        found = self.fixes({"7-r1": ["CVE-2024-0001", "CVE-2024-0002"], "0": ["CVE-2024-0003"]})
        fixed = FixedPackage("curl", "7-r1")
        never = FixedPackage("curl", None, status="not_affected")
        self.assertEqual(found, {"CVE-2024-0001": fixed, "CVE-2024-0002": fixed, "CVE-2024-0003": never})

    def test_several_fixes(self) -> None:
        """Of several fixes of one vulnerability the highest in apk's order is used, wherever it stands."""
        for versions in (("1.9-r0", "1.10-r0", "0"), ("0", "1.10-r0", "1.9-r0"), ("1.10-r0", "0", "1.9-r0")):
            found = self.fixes({version: ["CVE-2024-0001"] for version in versions})
            self.assertEqual(found, {"CVE-2024-0001": FixedPackage("curl", "1.10-r0")})

    def test_dirty_names(self) -> None:
        """Several ids, remarks and other spellings are parsed."""
        for text, names in {
            "CVE-2016-6258 XSA-182": ("CVE-2016-6258", "XSA-182"),
            "CVE_2017_2616 (+ regression fix)": ("CVE-2017-2616",),
            "cve-2021-35940.patch": ("CVE-2021-35940",),
            "CVE-2017-17434-1": ("CVE-2017-17434",),
            "CVE-2017-12122 TALOS-2017-0488": ("CVE-2017-12122", "TALOS-2017-0488"),
            "GHSA-w4cg-M4RV-aaaa": ("GHSA-w4cg-m4rv-aaaa",),
            "CVE-????-????? XSA-312": ("XSA-312",),
            "XSA-207": ("XSA-207",),
            "RUSTSEC-2020-0146": ("RUSTSEC-2020-0146",),
            "DW202402-001": ("DW202402-001",),
            "CVE N/A ZBX-11023": ("ZBX-11023",),
        }.items():
            found, skipped = parse(document(xen={"4-r1": [text]}))
            self.assertEqual([(part.name, *part.aliases) for part in found], [names], text)
            self.assertEqual(skipped, {})
        both = self.fixes({"4-r1": ["CVE-2019-17349 CVE-2019-17350 XSA-295"]})
        self.assertEqual(set(both), {"CVE-2019-17349", "CVE-2019-17350"})

    def test_left_out(self) -> None:
        """Texts without an id are skipped and counted; a fix in a version that apk refuses is unreadable."""
        fixes = {"4.8.0.-r1": ["CVE-2024-0001", "CVE-2024-0002"], "4-r0": ["?", 7, "CVE-2024-0003"], "5-r0": None}
        found = self.fixes(fixes, unreadable=2, no_vulnerability_id=2, not_a_record=1)
        self.assertEqual(sorted(found), ["CVE-2024-0001", "CVE-2024-0002", "CVE-2024-0003"])
        unreadable = FixedPackage("curl", None, status="unreadable", note="the version 4.8.0.-r1 is not valid")
        self.assertEqual(parse(document(curl={"4.8.0.-r1": ["CVE-2024-0001"]}))[0][0].fixed_in, (unreadable,))

    def test_partly_unreadable(self) -> None:
        """A version that apk refuses does not hide another one, which may be lower."""
        (found,), _ = parse(document(curl={"1_x": ["CVE-2024-0001"], "1-r0": ["CVE-2024-0001"]}))
        self.assertEqual(
            [(each.version, each.status) for each in found.fixed_in], [("1-r0", "fixed"), (None, "unreadable")]
        )

    def test_malformed(self) -> None:
        """Entries that are no packages are skipped and counted."""
        malformed = {
            "packages": [7, {}, {"pkg": {}}, {"pkg": {"name": "\ud800", "secfixes": {}}}, {"pkg": {"name": "a"}}]
        }
        self.assertEqual(parse(json.dumps(malformed).replace("\\ud800", "a b").encode()), ([], {"not a record": 5}))

    def test_links(self) -> None:
        """A CVE and an advisory of GitHub have a page."""
        content = document(curl={"1-r1": ["CVE-2024-0001", "GHSA-aaaa-bbbb-cccc", "XSA-1"]})
        pages = [part.details_href for part in parse(content)[0]]
        advisory = "https://github.com/advisories/GHSA-aaaa-bbbb-cccc"
        self.assertEqual(pages, ["https://security.alpinelinux.org/vuln/CVE-2024-0001", advisory, ""])
        self.assertEqual(parse(content, "wolfi")[0][0].details_href, "https://nvd.nist.gov/vuln/detail/CVE-2024-0001")

    def test_followed(self) -> None:
        """Every package of the document is followed, with fixes or without."""
        content = document(zlib={"1-r0": ["CVE-2024-0001"]}, curl={})
        *_, followed = parse_secdb(io.BytesIO(content), "alpine-3.20", ParseContext("secdb"))
        expected = Vulnerability(FOLLOWED, "alpine-3.20", source="secdb", followed=("curl", "zlib"))
        self.assertEqual(followed, expected)

    def test_notes(self) -> None:
        """The text beside an id is its note, unless it is an alias."""
        for text, note in (("CVE-2016-6258 XSA-182", None), ("CVE-2016-6258 (LDP)", "LDP")):
            (found,), _ = parse(document(xen={"4-r1": [text]}))
            self.assertEqual(found.note, note)

    def test_one_text(self) -> None:
        """A text in place of a list is its only element."""
        self.assertEqual(self.fixes({"7-r1": "CVE-2024-0001"}), {"CVE-2024-0001": FixedPackage("curl", "7-r1")})

    def test_not_followed(self) -> None:
        """A package of which something was lost is not followed, even if it occurs again."""
        good = {"1-r0": ["CVE-2024-0001"]}
        for broken in (None, 7, "x", [good], {"2-r0": None}, {"2-r0": {}}, {"2-r0": ["?"]}, {**good, "2-r0": 7}):
            listed = [
                {"pkg": {"name": name, "secfixes": fixes}} for name, fixes in (("a", broken), ("a", good), ("b", {}))
            ]
            context = ParseContext("secdb")
            content = json.dumps({"packages": listed}).encode()
            *records, followed = parse_secdb(io.BytesIO(content), "alpine-3.20", context)
            self.assertEqual((followed.followed, bool(records), context.skipped.total()), (("b",), True, 1), broken)

    def test_empty(self) -> None:
        """A repository may have no fixes yet."""
        for content in (b'{"packages": []}', b'{"packages": null}', document()):
            self.assertEqual(parse(content), ([], {}))

    def test_another_format(self) -> None:
        """A document that is not a secdb, or only a part of one, is refused."""
        for content in (
            b"",
            b"[]",
            b"{}",
            b"7",
            b'{"packages": {}}',
            b"<html>\n</html>",
            document(curl={})[:-5],
            b"\xff",
        ):
            with self.assertRaisesRegex(SourceError, "^(not JSON|it is not a secdb).*$"):
                parse(content)


class FeedTests(SynchronousTestCase):
    """The local real documents."""

    def gather(self, platform: str, *paths: Path) -> tuple[dict[str, Vulnerability], Counter[str]]:
        """Parse the documents of a platform."""
        context = ParseContext("secdb")
        gathering = FragmentStore(Path(self.mktemp()))
        self.addCleanup(gathering.close)
        for path in paths:
            with open_feed(path) as stream:
                gathering.add(parse_secdb(stream, platform, context))
        found = list(gathering.vulnerabilities(platform))
        followed = [name for each in found if each.name == FOLLOWED for name in each.followed]
        self.assertEqual((followed, len(followed)), (sorted(set(followed)), len(set(followed))))
        found = [each for each in found if each.name != FOLLOWED]
        self.assertEqual(len({vulnerability.name for vulnerability in found}), len(found))
        return {vulnerability.name: vulnerability for vulnerability in found}, context.skipped

    def test_alpine(self) -> None:
        """Every id of every release, of both repositories, is with its package in a vulnerability, or counted."""
        total: Counter[str] = Counter()
        for folder in sorted(shared("data/alpine-secdb").iterdir()):
            found, skipped = self.gather(f"alpine-{folder.name.removeprefix('v')}", *sorted(folder.glob("*.json")))
            total += skipped
            rows = [row for path in folder.glob("*.json") for row in rows_of(path)]
            total["read"] += sum(is_in(found, *row) for row in rows)
            total["rows"] += len(rows)
        self.assertEqual(total["rows"], 73180)
        self.assertEqual((total["unreadable"], total["no vulnerability id"]), (59, 3))
        self.assertEqual(total["read"], 73180 - 59 - 3)

    def test_wolfi(self) -> None:
        """Wolfi's only document is read completely, except for two ids at a version that apk refuses."""
        path = shared("data/wolfi-secdb/security.json")
        found, skipped = self.gather("wolfi", path)
        self.assertEqual(skipped, {"unreadable": 2})
        rows = rows_of(path)
        self.assertEqual(len({package for package, _, _ in rows}), 1228)
        self.assertEqual((len(rows), sum(is_in(found, *row) for row in rows)), (31931, 31931 - 2))


def rows_of(path: Path) -> list[tuple[str, str, str]]:
    """Return the packages, versions and ids in a document."""
    packages = [item["pkg"] for item in json.loads(path.read_bytes())["packages"]]
    return [(each["name"], fix, text) for each in packages for fix, texts in each["secfixes"].items() for text in texts]


def is_in(found: dict[str, Vulnerability], package: str, version: str, text: str) -> bool:
    """Return whether each CVE of a text, or its first id, has the package as fixed in no lower version."""
    names = re.findall(r"CVE-\d{4}-\d{4,}", text) or [text.split()[-1]]
    fixes = [found.get(name) for name in names]
    return all(
        fix is not None and any(_is_as_high(each, version) for each in fix.fixed_in if each.name == package)
        for fix in fixes
    )


def _is_as_high(fixed: FixedPackage, version: str) -> bool:
    if version == "0" or fixed.version is None:
        return version == "0"
    try:
        return sort_key(fixed.version) >= sort_key(version)
    except InvalidVersion:
        return False
