"""Tests for :mod:`patches.sources.osv.parser`: the vulnerabilities of a record, and its skipped parts."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.interfaces import SourceError
from patches.sources.osv.ecosystems import TABLE, Ecosystem, Ecosystems, Release
from patches.sources.osv.parser import parse_osv
from patches.sources.parse_context import ParseContext
from patches.vulnerability import FixedPackage, Severity, Vulnerability
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


class PackageTests(SynchronousTestCase):
    """Packages, and their platforms."""

    def test_platforms(self) -> None:
        """A record yields one vulnerability per platform, with all its packages, each once, sorted."""
        entries = [affected("Debian:12", "wget", "2-1"), affected("Debian:11", "curl", "1-1")]
        entries += [affected("Debian:12", "curl", "8-1")] * 2
        found, skipped = parse(record("DSA-1-1", *entries))
        self.assertEqual(skipped, {})
        self.assertEqual(found["debian-12"].fixed_in, (FixedPackage("curl", "8-1"), FixedPackage("wget", "2-1")))
        self.assertEqual(found["debian-11"].fixed_in, (FixedPackage("curl", "1-1"),))
        self.assertEqual(list(parse(record("DSA-1-1", *entries), "debian-11", "debian-13")[0]), ["debian-11"])

    def test_kinds(self) -> None:
        """AlmaLinux and Red Hat name binary packages, the others source packages."""
        alma = only(record("ALSA-2024:1", affected("AlmaLinux:9", "curl-libs", "8-1")))
        self.assertEqual(alma.fixed_in, (FixedPackage("curl-libs", "8-1", "binary"),))
        suse = only(record("SUSE-SU-2024:1-1", affected("openSUSE:Leap 15.6", "curl", "8-1")))
        self.assertEqual(suse.fixed_in, (FixedPackage("curl", "8-1", "source"),))

    def test_unfixed(self) -> None:
        """Without a fix a package is affected, or past its end of life; one that is fixed in 0 was never affected."""
        entries = [
            affected("Debian:12", "a"),
            affected("Debian:12", "b", ecosystem_specific={"urgency": "end-of-life"}),
            affected("Debian:12", "c", "0"),
        ]
        found = only(record("DEBIAN-CVE-2024-1234", *entries))
        self.assertEqual(
            [(package.version, package.status) for package in found.fixed_in],
            [(None, "affected"), (None, "end_of_life"), (None, "not_affected")],
        )

    def test_last_affected(self) -> None:
        """The last affected version is kept where a record has it."""
        entry = affected("Azure Linux:2", "vim")
        entry["ranges"][0]["events"].append({"last_affected": "0:8.1"})
        self.assertEqual(
            only(record("AZL-1", entry)).fixed_in,
            (FixedPackage("vim", None, status="affected", last_affected="0:8.1"),),
        )

    def test_invalid_fix(self) -> None:
        """
        A package whose fix has an invalid version is skipped and counted; without other packages there is no record.
        """
        entries = [affected("Alpine:v3.14", "a", "1-r0"), affected("Alpine:v3.14", "b", "4.8.0.-r1")]
        found, skipped = parse(record("ALPINE-CVE-2024-1234", *entries))
        self.assertEqual(
            (found["alpine-3.14"].fixed_in, skipped), ((FixedPackage("a", "1-r0"),), {"invalid version": 1})
        )
        self.assertEqual(parse(record("ALPINE-CVE-2024-1234", entries[1])), ({}, {"invalid version": 1}))


class UbuntuTests(SynchronousTestCase):
    """Ubuntu, for everyone and for subscribers."""

    def packages(self, *entries: dict[str, Any]) -> tuple[FixedPackage, ...]:
        """Parse a record of these entries."""
        return only(record("UBUNTU-CVE-2024-1234", *entries)).fixed_in

    def test_both(self) -> None:
        """Entries for everyone and for subscribers are both kept, on one platform."""
        packages = self.packages(
            affected("Ubuntu:22.04:LTS", "curl", "7-1"), affected("Ubuntu:Pro:22.04:LTS", "curl", "7-1+esm1")
        )
        self.assertEqual(packages, (FixedPackage("curl", "7-1"), FixedPackage("curl", "7-1+esm1", channel="esm")))

    def test_subscribers_alone(self) -> None:
        """A package that is fixed for subscribers only is affected for everyone else, and will not be fixed."""
        unfixed = FixedPackage("curl", None, status="will_not_fix")
        fixed = FixedPackage("curl", "7-1+esm1", channel="esm")
        self.assertEqual(self.packages(affected("Ubuntu:Pro:18.04:LTS", "curl", "7-1+esm1")), (unfixed, fixed))
        open_entry = FixedPackage("curl", None, status="affected", channel="esm")
        self.assertEqual(set(self.packages(affected("Ubuntu:Pro:18.04:LTS", "curl"))), {unfixed, open_entry})

    def test_unmarked(self) -> None:
        """A fix without the mark of subscribers' fixes may be public: a host that has it is not affected."""
        packages = self.packages(affected("Ubuntu:Pro:18.04:LTS", "cups", "2-1"))
        self.assertEqual(set(packages), {FixedPackage("cups", "2-1"), FixedPackage("cups", "2-1", channel="esm")})
        packages = self.packages(affected("Ubuntu:Pro:18.04:LTS", "linux-aws", "4-1"))
        self.assertIn(FixedPackage("linux-aws", None, status="will_not_fix"), packages)

    def test_other_lineages(self) -> None:
        """Other lineages are skipped and counted."""
        names = ("Ubuntu:Pro:FIPS:20.04:LTS", "Ubuntu:Pro:Realtime:22.04:LTS", "Ubuntu:22.04:LTS:for:NVIDIA:BlueField")
        document = record("UBUNTU-CVE-2024-1234", *(affected(name, "linux", "1-1") for name in names))
        self.assertEqual(parse(document), ({}, {"another lineage of Ubuntu": 3}))

    def test_notices(self) -> None:
        """Notices repeat the records of CVEs, and are skipped."""
        for name in ("USN-1-1", "LSN-0001-1"):
            found = parse(record(name, affected("Ubuntu:22.04:LTS", "curl", "7-1")))
            self.assertEqual(found, ({}, {"repeats other records": 1}))


class ModuleTests(SynchronousTestCase):
    """Builds of modules."""

    def modules(self, summary: str) -> list[str | None]:
        """Return the modules of a plain and of a modular build."""
        entries = [affected("AlmaLinux:8", "a", "1-1.el8"), affected("AlmaLinux:8", "b", "1-1.module_el8.6.0+1+2")]
        return [package.module for package in only(record("ALSA-2024:1", *entries, summary=summary)).fixed_in]

    def test_stream(self) -> None:
        """A modular build belongs to the stream in the summary, a plain build to none."""
        self.assertEqual(self.modules("Moderate: nodejs:20 security update"), [None, "nodejs:20"])
        self.assertEqual(self.modules("Important: 389-ds:1.4 and other fixes"), [None, "389-ds:1.4"])
        rocky = record(
            "RLSA-2024:1", affected("Rocky Linux:8", "a", "0:1-1.module+el8.6.0+1"), summary="Low: perl:5.32 x"
        )
        self.assertEqual(only(rocky).fixed_in[0].module, "perl:5.32")

    def test_unknown_stream(self) -> None:
        """If the summary names no stream, or several, the stream is unknown."""
        for summary in (
            "Important: varnish security update",
            "Moderate: virt:rhel and virt-devel:rhel security update",
        ):
            self.assertEqual(self.modules(summary), [None, None])


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


class EcosystemTests(SynchronousTestCase):
    """Conversion of the names of ecosystems to platforms."""

    def test_platforms(self) -> None:
        """An ecosystem that is a release of a distribution is its platform."""
        for name, platform in {
            "Debian:13": "debian-13",
            "Ubuntu:25.10": "ubuntu-25.10",
            "Alpine:v3.20": "alpine-3.20",
            "Alpine:edge": "alpine-edge",
            "Wolfi": "wolfi",
            "Chainguard": "chainguard",
            "AlmaLinux:10": "alma-10",
            "Rocky Linux:8": "rocky-8",
            "Red Hat:enterprise_linux:9::baseos": "rhel-9",
            "Red Hat:enterprise_linux:10.2": "rhel-10",
            "SUSE:Linux Enterprise Server 15 SP7": "sles-15.7",
            "SUSE:Linux Enterprise Module for Basesystem 15 SP7": "sles-15.7",
            "SUSE:Linux Enterprise Server 12 SP5": "sles-12.5",
            "SUSE:Linux Enterprise Server 16.0": "sles-16.0",
            "openSUSE:Leap 15.6": "opensuse-leap-15.6",
            "openSUSE:Tumbleweed": "opensuse-tumbleweed",
            "Mageia:9": "mageia-9",
            "Azure Linux:2": "azurelinux-2.0",
            "Azure Linux:3": "azurelinux-3.0",
            "openEuler:24.03-LTS-SP1": "openeuler-24.03.sp1",
        }.items():
            place = Ecosystems().place(name)
            self.assertEqual(getattr(place, "platform", place), platform)

    def test_other_lineages(self) -> None:
        """Products and support channels without hosts are not taken for platforms."""
        for name in (
            "Red Hat:rhel_eus:9.2::baseos",
            "Red Hat:openstack:17.1::el9",
            "SUSE:Linux Enterprise Server 15 SP3-LTSS",
            "SUSE:Package Hub 15 SP6",
            "SUSE:Linux Enterprise Module for Containers 12",
            "Debian",
            "Debian:12x",
        ):
            self.assertEqual(Ecosystems().place(name), f"another lineage of {name.partition(':')[0]}")

    def test_own_row(self) -> None:
        """A row for an ecosystem can be added, or replaced."""
        releases = Release(r"TuxCare:(\d+)", "tuxcare-{0}"), Release("TuxCare", "tuxcare")
        row = Ecosystem("TuxCare", releases, "rpm", "binary")
        ecosystems = Ecosystems((*TABLE, row))
        document = record("CLSA-1", affected("TuxCare:Next 9", "a", "1"), affected("TuxCare:9", "a", "1-1"))
        found, skipped = parse(document, ecosystems=ecosystems)
        self.assertEqual(found["tuxcare-9"].fixed_in, (FixedPackage("a", "1-1", "binary"),))
        self.assertEqual(skipped, {"another lineage of TuxCare": 1})

    def test_bounded(self) -> None:
        """The memory of ecosystem names is bounded, even for a feed with a new one in each record."""
        ecosystems = Ecosystems()
        reasons = {ecosystems.place(f"Made up {number}") for number in range(10_000)}
        self.assertLess(len(reasons), 5000)


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
