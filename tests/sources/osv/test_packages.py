"""Tests for :mod:`patches.sources.osv.packages`."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from patches.sources.osv.ecosystems import ECOSYSTEMS
from patches.sources.osv.packages import Entry, packages_of, stream_in
from patches.sources.parse_context import ParseContext
from patches.vulnerability import FixedPackage
from tests.sources.osv_records import affected, only, parse, record


def entry(ecosystem: str, name: str, fixed: str | None = None, **rest: Any) -> Entry:
    """Return an entry."""
    return Entry(ECOSYSTEMS.place(ecosystem), name, affected(ecosystem, name, fixed, **rest))


class StreamTests(SynchronousTestCase):
    """Modules and streams in summaries."""

    def test_one(self) -> None:
        """A summary that names exactly one stream, once or repeatedly, names that of the builds."""
        for summary, stream in {
            "Moderate: nodejs:20 security update": "nodejs:20",
            "Important: 389-ds:1.4 and 389-ds:1.4": "389-ds:1.4",
            "Low: perl:5.32": "perl:5.32",
        }.items():
            self.assertEqual(stream_in(summary), stream)

    def test_none(self) -> None:
        """A summary with no stream, or several, and a value that is not a text, name none."""
        for summary in ("", "Important: curl update", "virt:rhel and virt-devel:rhel", None, 7, ["perl:5.32"]):
            self.assertIsNone(stream_in(summary), summary)


class PackagesTests(SynchronousTestCase):
    """Entries of one platform."""

    def test_sorted(self) -> None:
        """Each package is once in the result, in order; what cannot be read is there with the reason, and counted."""
        context = ParseContext("osv")
        entries = [entry("Debian:12", name, version) for name, version in (("b", "1-1"), ("a", "1-1"), ("b", "1-1"))]
        found = packages_of([*entries, entry("Debian:12", "c", "not valid")], None, context)
        unreadable = FixedPackage("c", None, status="unreadable", note="the version not valid is not valid")
        self.assertEqual(found, (FixedPackage("a", "1-1"), FixedPackage("b", "1-1"), unreadable))
        self.assertEqual(context.skipped, {"unreadable": 1})

    def test_stream(self) -> None:
        """Only modular builds are in the stream."""
        entries = [entry("AlmaLinux:8", "a", "1-1.el8"), entry("AlmaLinux:8", "b", "1-1.module_el8.6.0+1+2")]
        for stream in ("nodejs:20", None):
            found = packages_of(entries, stream, ParseContext("osv"))
            self.assertEqual([package.module for package in found], [None, stream])

    def test_never_affected(self) -> None:
        """A package that was never affected is not affected without a subscription either."""
        found = packages_of([entry("Ubuntu:Pro:18.04:LTS", "curl", "0")], None, ParseContext("osv"))
        self.assertEqual(
            {(each.track, each.status) for each in found}, {(None, "not_affected"), ("esm", "not_affected")}
        )


class RecordTests(SynchronousTestCase):
    """Packages of whole records, and their platforms."""

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
        """A package whose fix has an invalid version is unreadable, also if it is the only one."""
        entries = [affected("Alpine:v3.14", "a", "1-r0"), affected("Alpine:v3.14", "b", "4.8.0.-r1")]
        found, skipped = parse(record("ALPINE-CVE-2024-1234", *entries))
        unreadable = FixedPackage("b", None, status="unreadable", note="the version 4.8.0.-r1 is not valid")
        self.assertEqual(found["alpine-3.14"].fixed_in, (FixedPackage("a", "1-r0"), unreadable))
        self.assertEqual(skipped, {"unreadable": 1})
        found, _ = parse(record("ALPINE-CVE-2024-1234", entries[1]))
        self.assertEqual(found["alpine-3.14"].fixed_in, (unreadable,))

    def test_unreadable_for_subscribers(self) -> None:
        """An unreadable entry for subscribers says nothing about other hosts."""
        found, _ = parse(record("UBUNTU-CVE-2024-1234", affected("Ubuntu:Pro:18.04:LTS", "curl", "not valid")))
        self.assertEqual([each.track for each in found["ubuntu-18.04"].fixed_in], ["esm"])


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
        self.assertEqual(packages, (FixedPackage("curl", "7-1"), FixedPackage("curl", "7-1+esm1", track="esm")))

    def test_subscribers_alone(self) -> None:
        """
        A fix for subscribers only is in their track; a package without any fix is affected on every host.
        """
        fixed = affected("Ubuntu:Pro:18.04:LTS", "curl", "7-1+esm1")
        self.assertEqual(self.packages(fixed), (FixedPackage("curl", "7-1+esm1", track="esm"),))
        tracks = {None, "esm"}
        statuses = {None: "will_not_fix", "esm": "affected"}
        unfixed = {FixedPackage("curl", None, status=statuses[track], track=track) for track in tracks}
        self.assertEqual(set(self.packages(affected("Ubuntu:Pro:18.04:LTS", "curl"))), unfixed)
        for other in ("Ubuntu:Pro:FIPS:18.04:LTS", "Ubuntu:Pro:18.04:LTS:Realtime:Kernel"):
            self.assertEqual(len(self.packages(affected(other, "linux"))), 1)

    def test_unmarked(self) -> None:
        """A fix without the mark of subscribers' fixes may be public; versions of kernels have no mark."""
        packages = self.packages(affected("Ubuntu:Pro:18.04:LTS", "cups", "2-1"))
        self.assertEqual(set(packages), {FixedPackage("cups", "2-1"), FixedPackage("cups", "2-1", track="esm")})
        packages = self.packages(affected("Ubuntu:Pro:18.04:LTS", "linux-aws", "4-1"))
        self.assertEqual(packages, (FixedPackage("linux-aws", "4-1", track="esm"),))

    def test_base_entry_stays(self) -> None:
        """An entry for subscribers without a fix changes nothing about the fix for everyone."""
        entries = affected("Ubuntu:18.04:LTS", "curl", "7-1"), affected("Ubuntu:Pro:18.04:LTS", "curl")
        expected = {FixedPackage("curl", "7-1"), FixedPackage("curl", None, status="affected", track="esm")}
        self.assertEqual(set(self.packages(*entries)), expected)

    def test_other_lineages(self) -> None:
        """Other lineages are skipped and counted."""
        document = record("UBUNTU-CVE-2024-1234", affected("Ubuntu:22.04:LTS:for:NVIDIA:BlueField", "linux", "1-1"))
        self.assertEqual(parse(document), ({}, {"another lineage of Ubuntu": 1}))

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
