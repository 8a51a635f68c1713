"""Tests for :mod:`patches.sources.osv.parser`: the vulnerabilities of a record, and its skipped parts."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.errors import SourceError
from patches.sources.osv.parser import parse_osv
from patches.sources.parse_context import ParseContext
from patches.vulnerability import Severity, Vulnerability
from patches.wire import decode_lines, encode_line
from tests.sources.osv_records import affected, only, parse, record


class IdentityTests(SynchronousTestCase):
    """Names, aliases and links."""

    def test_flaw(self) -> None:
        """A record about a single CVE is named by it, and its own id is an alias."""
        for ecosystem, record_id in (
            ("Debian:12", "DEBIAN-CVE-2024-1"),
            ("Ubuntu:22.04:LTS", "UBUNTU-CVE-2024-1"),
            ("Alpine:v3.20", "ALPINE-CVE-2024-1"),
        ):
            record_id += "234"
            found = only(record(record_id, affected(ecosystem, "curl", "8"), upstream=["CVE-2024-1234"]))
            self.assertEqual(
                (found.name, found.aliases, found.vulnerability_ids), ("CVE-2024-1234", (record_id,), (found.name,))
            )
            self.assertIn("CVE-2024-1234", found.details_href)

    def test_advisory(self) -> None:
        """An advisory keeps its id; the CVEs in its distribution's fields are aliases, sorted, each once."""
        names = ["CVE-2024-0002", "DEBIAN-CVE-2024-0002", "cve-2024-0001"]
        for ecosystem, record_id, where in (
            ("Debian:12", "DSA-1234-1", "upstream"),
            ("AlmaLinux:9", "ALSA-2024:1", "related"),
            ("Rocky Linux:9", "RLSA-2024:1", "related"),
            ("Red Hat:enterprise_linux:9::baseos", "RHSA-2024:1", "upstream"),
            ("SUSE:Linux Enterprise Server 15 SP7", "SUSE-SU-2024:1-1", "related"),
            ("Mageia:9", "MGASA-2024-0001", "related"),
            ("openEuler:24.03-LTS", "OESA-2024-1", "upstream"),
        ):
            found = only(record(record_id, affected(ecosystem, "curl", "8-1"), **{where: names}))
            self.assertEqual((found.name, found.aliases), (record_id, ("CVE-2024-0001", "CVE-2024-0002")))

    def test_shared_flaw(self) -> None:
        """If several records may be about one CVE, each keeps its id, so that none replaces another."""
        for ecosystem, record_id in (("Azure Linux:3", "AZL-1"), ("Wolfi", "CGA-aaaa-bbbb-cccc")):
            upstream = ["CVE-2024-1234", "GHSA-AAAA-bbbb-2222"]
            found = only(record(record_id, affected(ecosystem, "curl", "8-r1"), upstream=upstream))
            self.assertEqual((found.name, found.aliases), (record_id, ("CVE-2024-1234", "GHSA-aaaa-bbbb-2222")))
            self.assertEqual(found.vulnerability_ids, ("CVE-2024-1234",))

    def test_links(self) -> None:
        """The link is the distribution's own page, else a reference, else OSV's page; it is always a URL."""
        urls = ["javascript:alert(1)", "https://access.redhat.com/1", "https://errata.almalinux.org/9/A.html"]
        references = [{"type": "ADVISORY", "url": url} for url in urls]
        entry = affected("AlmaLinux:9", "curl", "8-1")
        self.assertEqual(only(record("ALSA-2024:1", entry, references=references)).details_href, urls[2])
        self.assertEqual(only(record("ALSA-2024:1", entry, references=references[:2])).details_href, urls[1])
        page = "https://osv.dev/vulnerability/ALSA-2024:1"
        self.assertEqual(only(record("ALSA-2024:1", entry, references=references[:1])).details_href, page)
        rocky = only(record("RLSA-2024:1", affected("Rocky Linux:9", "curl", "0:8-1")))
        self.assertEqual(rocky.details_href, "https://errata.rockylinux.org/RLSA-2024:1")

    def test_times(self) -> None:
        """A time is kept; the year 1 means unknown, and withdraws nothing."""
        entry = affected("Debian:12", "curl", "8-1")
        known = only(record("DSA-1-1", entry, published="2024-05-06T07:08:09.123Z", withdrawn="0001-01-01T00:00:00Z"))
        self.assertEqual(known.published, "2024-05-06T07:08:09.123Z")
        for unknown in ("0001-01-01T00:00:00Z", "yesterday", 7, None):
            self.assertIsNone(only(record("DSA-1-1", entry, published=unknown)).published)


class LeftOutTests(SynchronousTestCase):
    """Records that are not part of the lists."""

    def test_refused(self) -> None:
        """Withdrawn records, those not about security, and those of unknown ecosystems are skipped and counted."""
        entry = affected("AlmaLinux:8", "a", "1-1")
        self.assertEqual(parse(record("ALSA-1:1", entry, withdrawn="2024-01-01T00:00:00Z")), ({}, {"withdrawn": 1}))
        self.assertEqual(parse(record("ALBA-1:1", entry, entry)), ({}, {"not security": 1}))
        self.assertEqual(parse(record("GSD-1", entry)), ({}, {"not a record of AlmaLinux": 1}))
        found = parse(record("X-1", affected("PyPI", "a", "1"), affected("Haiku\n:1", "a", "1")))
        self.assertEqual(found, ({}, {"unknown ecosystem: PyPI": 1, "unknown ecosystem: Haiku\\n": 1}))

    def test_not_asked_for(self) -> None:
        """A record about unwanted platforms yields no vulnerability, and does not count as skipped."""
        self.assertEqual(parse(record("ALBA-1:1", affected("AlmaLinux:8", "a", "1-1")), "alma-9"), ({}, {}))

    def test_malformed(self) -> None:
        """Records and packages with a wrong structure are skipped and counted."""
        for document in (None, [], {}, {"id": 7}, {"id": "A B"}, {"id": "\ud800"}, {"id": ""}):
            self.assertEqual(parse(document), ({}, {"not a record": 1}))
        for entries in (
            [],
            [7],
            [{}],
            [{"package": {"ecosystem": "Debian:12"}}],
            [affected("Debian:12", "\ud800", "1")],
        ):
            self.assertEqual(parse(record("DSA-1-1", *entries)), ({}, {"not a package": 1}))
        odd = {"severity": 7, "references": [7], "upstream": "CVE", "database_specific": [], "summary": 7}
        found = only(record("DSA-1-1", affected("Debian:12", "a", "1", ecosystem_specific=7, severity="x"), **odd))
        self.assertEqual((found.severity, found.aliases, found.cvss), (Severity.UNKNOWN, (), None))


KEYS = ("id", "affected", "package", "ecosystem", "name", "ranges", "type", "events", "introduced", "fixed", "severity")
KEYS += ("score", "references", "url", "upstream", "published", "summary", "database_specific", "ecosystem_specific")
WORDS = st.sampled_from(
    ["DSA-1-1", "Debian:12", "Ubuntu:22.04:LTS", "curl", "0", "1-1", "ECOSYSTEM", "CVSS_V3", "Ubuntu"]
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), WORDS, st.text(max_size=3)),
    lambda values: st.one_of(st.lists(values, max_size=3), st.dictionaries(st.sampled_from(KEYS), values, max_size=4)),
    max_leaves=12,
)


class AnyJsonTests(SynchronousTestCase):
    """Arbitrary JSON."""

    @given(st.dictionaries(st.sampled_from(KEYS), VALUES), st.sampled_from(["top", "affected", "ranges", "package"]))
    def test_no_error(self, odd: dict[str, Any], where: str) -> None:
        """Any value in any place of a record is parsed or counted, and never raises."""
        document = record("UBUNTU-CVE-2024-1234", affected("Ubuntu:22.04:LTS", "curl", "1-1"), summary="a:1")
        entry = document["affected"][0]
        target = {"top": document, "affected": entry, "ranges": entry["ranges"][0], "package": entry["package"]}[where]
        target.update(odd)
        found, skipped = parse(document)
        for vulnerability in found.values():
            self.assertEqual(list(decode_lines(encode_line(vulnerability))), [vulnerability])
        self.assertTrue(found or skipped)


class ArchiveTests(SynchronousTestCase):
    """Many records."""

    def parse(self, *contents: bytes) -> tuple[list[Vulnerability], Counter[str]]:
        """Parse members with these contents."""
        context = ParseContext("osv")
        members = ((f"{number}.json", content) for number, content in enumerate(contents))
        return list(parse_osv(members, context)), context.skipped

    def test_bad_member(self) -> None:
        """A member that is not a record is counted, and the others are parsed."""
        good = json.dumps(record("DSA-1-1", affected("Debian:12", "a", "1"))).encode()
        found, skipped = self.parse(good, b"{", b"[" * 100_000, b"\xff", good[:-9], good)
        self.assertEqual((len(found), found[0].source, skipped), (2, "osv", {"not a record": 4}))

    def test_another_format(self) -> None:
        """An archive without any record is refused, not taken for an empty list."""
        for contents in ((), (b"{}", b"[]")):
            with self.assertRaisesRegex(SourceError, f"none of its {len(contents)} members"):
                self.parse(*contents)
