"""Tests for :mod:`patches.sources.debian_tracker.parser`."""

from __future__ import annotations

import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from patches.errors import SourceError
from patches.sources.debian_tracker.parser import parse_tracker
from patches.sources.parse_context import ParseContext
from patches.sources.regroup import FragmentStore
from patches.vulnerability import FixedPackage, Severity, Vulnerability


def release(status: str, urgency: str = "not yet assigned", **rest: Any) -> dict[str, Any]:
    """Return the tracker's record of a release."""
    return {"status": status, "urgency": urgency, "repositories": {"bookworm": "1-1"}, **rest}


def flaw(**releases: Any) -> dict[str, Any]:
    """Return a vulnerability of a package."""
    return {"description": "Écrit", "scope": "local", "debianbug": 834233, "releases": releases}


def parse(document: Any, *wanted: str) -> tuple[list[Vulnerability], Counter[str]]:
    """Parse a file; the lists of followed packages are not among the result."""
    context = ParseContext("debian", wanted or None)
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    found = [each for each in parse_tracker(io.BytesIO(content), context) if not each.followed]
    return found, context.skipped


class TrackerTests(SynchronousTestCase):
    """Files that the tests create."""

    def only(self, word: dict[str, Any]) -> tuple[FixedPackage, Severity]:
        """Return the package and the severity of a record for bookworm."""
        ((part,), skipped) = parse({"curl": {"CVE-2024-0001": flaw(bookworm=word)}})
        self.assertEqual((part.name, part.platform, skipped), ("CVE-2024-0001", "debian-12", {}))
        self.assertEqual(part.details_href, "https://security-tracker.debian.org/tracker/CVE-2024-0001")
        return part.fixed_in[0], part.severity

    def test_statuses(self) -> None:
        """Status, reason and urgency determine the status of the package."""
        for word, version, status in (
            (release("resolved", fixed_version="8-1"), "8-1", "fixed"),
            (release("resolved", fixed_version="0"), None, "not_affected"),
            (release("open"), None, "affected"),
            (release("open", nodsa="Minor", nodsa_reason=""), None, "affected"),
            (release("open", nodsa="Minor", nodsa_reason="ignored"), None, "will_not_fix"),
            (release("open", nodsa="Minor", nodsa_reason="postponed"), None, "deferred"),
            (release("open", "end-of-life", nodsa_reason="ignored"), None, "end_of_life"),
            (release("undetermined"), None, "under_investigation"),
        ):
            self.assertEqual(self.only(word)[0], FixedPackage("curl", version, status=status))

    def test_urgencies(self) -> None:
        """An urgency is a severity, with or without asterisks."""
        for urgency, severity in {
            "unimportant": Severity.NEGLIGIBLE,
            "low**": Severity.LOW,
            "medium*": Severity.MEDIUM,
            "high": Severity.HIGH,
            "not yet assigned": Severity.UNKNOWN,
            "end-of-life": Severity.UNKNOWN,
        }.items():
            self.assertEqual(self.only(release("open", urgency))[1], severity)

    def test_releases(self) -> None:
        """A codename is a platform; unwanted ones are ignored, unknown ones counted."""
        words = {name: release("open") for name in ("bullseye", "trixie", "forky", "sid", "potato")}
        document = {"curl": {"TEMP-0000000-ABCDEF": flaw(**words)}}
        found, skipped = parse(document)
        names = ["debian-11", "debian-13", "debian-14", "debian-unstable"]
        self.assertEqual(([part.platform for part in found], skipped), (names, {"unknown release: potato": 1}))
        self.assertEqual([part.platform for part in parse(document, "debian-13")[0]], ["debian-13"])
        many = flaw(**{f"made-up-{number}": release("open") for number in range(1000)})
        self.assertLess(len(parse({"curl": {"CVE-2024-0001": many}})[1]), 50)

    def test_left_out(self) -> None:
        """Malformed records are skipped and counted; where package and release are known, they are unreadable."""
        for word, note in (
            (release("resolved", fixed_version=""), "the version is missing"),
            (release("resolved", fixed_version="1 2"), "the version 1 2 is not valid"),
            (release("resolved", fixed_version="é"), "the version \\xe9 is not valid"),
            (release("resolved", fixed_version=None), "the version of the fix is missing"),
            (release("resolved", fixed_version=7), "the version of the fix is missing"),
            (release("unheard of"), "the status 'unheard of' is not known"),
            ({}, "the status None is not known"),
            (7, "the status None is not known"),
        ):
            (found,), skipped = parse({"curl": {"CVE-2024-0001": flaw(sid=word)}})
            self.assertEqual(found.fixed_in, (FixedPackage("curl", None, status="unreadable", note=note),))
            self.assertEqual(skipped, {"unreadable": 1})
        document = {"a b": {}, "c": 7, "d": {"CVE-1": 7, "CVE 2": flaw(), "CVE-3": {}}}
        self.assertEqual(parse(document), ([], {"not a record": 5}))

    def test_malformed_releases(self) -> None:
        """An entry whose releases are malformed is unreadable in every release of the file."""
        good = flaw(sid=release("open"), bookworm=release("open"))
        for entry in (7, None, {}, {"releases": []}, {"releases": None}):
            found, skipped = parse({"curl": {"CVE-2024-0001": entry, "CVE-2024-0002": good}, "bash": {}})
            unreadable = [each for each in found if each.name == "CVE-2024-0001"]
            self.assertEqual([each.platform for each in unreadable], ["debian-12", "debian-unstable"])
            note = "its releases are malformed"
            self.assertEqual(unreadable[0].fixed_in, (FixedPackage("curl", None, status="unreadable", note=note),))
            self.assertEqual(skipped, {"unreadable": 2})

    def test_not_followed(self) -> None:
        """A package with an entry without an id is not followed."""
        document = {"curl": {"CVE 2": flaw()}, "zlib": {"CVE-2024-0001": flaw(sid=release("open"))}}
        *_, followed = parse_tracker(io.BytesIO(json.dumps(document).encode()), ParseContext("debian"))
        self.assertEqual(followed.followed, ("zlib",))

    def test_followed(self) -> None:
        """Every package of the file is followed in each wanted release, even if nothing is known about it there."""
        document = {"zlib": {"CVE-2024-0001": flaw(sid=release("open"), trixie=release("open"))}, "bash": {}, "a b": {}}
        context = ParseContext("debian", {"debian-13"})
        *_, followed = parse_tracker(io.BytesIO(json.dumps(document).encode()), context)
        expected = Vulnerability("!followed", "debian-13", source="debian", followed=("bash", "zlib"))
        self.assertEqual(followed, expected)

    def test_another_format(self) -> None:
        """A file that is not the tracker's, or only a part of it, is refused."""
        whole = json.dumps({"curl": {"CVE-2024-0001": flaw(sid=release("open"))}}).encode()
        for content in (b"", b"[]", b"{}", b"7", b"<html>\n</html>", whole[:-1], whole + b"x", b'{"\xff": {}}'):
            with self.assertRaisesRegex(SourceError, "^(not JSON|it is not the tracker's file).*$"):
                parse(content)

    def test_gathered(self) -> None:
        """The packages of a vulnerability are merged, on each platform."""
        document = {
            "curl": {"CVE-2024-0001": flaw(sid=release("open", "unimportant"), trixie=release("open"))},
            "wget": {"CVE-2024-0001": flaw(sid=release("resolved", "low", fixed_version="2-1"))},
        }
        gathering = FragmentStore(Path(self.mktemp()))
        self.addCleanup(gathering.close)
        gathering.add(parse(document)[0])
        (found,) = gathering.vulnerabilities("debian-unstable")
        packages = (FixedPackage("curl", None, status="affected"), FixedPackage("wget", "2-1"))
        self.assertEqual((found.fixed_in, found.severity), (packages, Severity.LOW))
        self.assertEqual(gathering.platforms(), ["debian-13", "debian-unstable"])
