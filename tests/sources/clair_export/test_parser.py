"""Tests for :mod:`patches.sources.clair_export.parser`: small exports of every updater."""

from __future__ import annotations

import io
import json
from collections import Counter
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from patches.errors import SourceError
from patches.sources.clair_export.parser import parse_clair_export
from patches.sources.parse_context import ParseContext
from patches.vulnerability import FixedPackage, Severity, Vulnerability

DEBIAN = {"did": "debian", "version_id": "12", "version_code_name": "bookworm"}
RHEL = {"key": "rhel-cpe-repository", "name": "cpe:2.3:a:redhat:enterprise_linux:9:*:appstream:*:*:*:*:*"}


def entry(updater: str, name: str, fixed: str = "", kind: str = "source", **rest: Any) -> dict[str, Any]:
    """Return an entry; fields of its package may be among the rest."""
    package = {"id": "", "name": "curl", "version": "", "kind": kind} | rest.pop("package", {})
    vulnerability = {
        "id": "",
        "updater": updater,
        "name": name,
        "description": "A flaw, unlike CVE-1999-0001.",
        "issued": "2024-01-02T00:00:00Z",
        "links": "",
        "severity": "",
        "normalized_severity": "Medium",
        "package": package,
        "fixed_in_version": fixed,
        "Self": {"space": "", "name": ""},
        "Aliases": None,
        "Invert": False,
    }
    common = {"Updater": updater, "Fingerprint": "x", "Date": "2026-11-20T06:00:00Z", "Ref": "0-0"}
    return {**common, "Vuln": vulnerability | rest, "Kind": "vulnerability"}


def lines(*entries: Any) -> bytes:
    """Return an export."""
    return b"".join(json.dumps(each).encode() + b"\n" for each in entries)


def parse(*entries: Any, wanted: tuple[str, ...] | None = None) -> tuple[list[Vulnerability], Counter[str]]:
    """Parse an export."""
    context = ParseContext("clair", wanted)
    return list(parse_clair_export(io.BytesIO(lines(*entries)), context)), context.skipped


class UpdaterCase(SynchronousTestCase):
    """A case with one entry."""

    def only(self, *arguments: Any, **rest: Any) -> Vulnerability:
        """Parse one entry, and check that nothing is skipped."""
        found, skipped = parse(entry(*arguments, **rest))
        self.assertEqual((len(found), skipped), (1, {}))
        return found[0]

    def fixed(self, *arguments: Any, **rest: Any) -> tuple[str, FixedPackage]:
        """Return the platform and the package of one entry."""
        found = self.only(*arguments, **rest)
        (package,) = found.fixed_in
        return found.platform, package


class UpdaterTests(UpdaterCase):
    """The meaning of the entries of each updater."""

    def test_debian(self) -> None:
        """No version means no fix; 0 means never affected."""
        for version, status in (("8.0-1", "fixed"), ("", "affected"), ("0", "not_affected")):
            expected = FixedPackage("curl", "8.0-1" if version == "8.0-1" else None, status=status)
            found = self.fixed("debian/updater", "CVE-2024-0001", version, distribution=DEBIAN)
            self.assertEqual(found, ("debian-12", expected))
        self.assertEqual(self.only("debian/updater", "TEMP-0841856-B18BAF", distribution=DEBIAN).name[:5], "TEMP-")

    def test_ubuntu(self) -> None:
        """No version, and 0, mean no fix; the id is in a title."""
        ubuntu = {"did": "ubuntu", "version_id": "22.04"}
        title = "CVE-2024-0001 on Ubuntu 22.04 LTS (jammy) - low."
        for version, status in (("1-1ubuntu1", "fixed"), ("", "affected"), ("0", "affected")):
            fixed = version if status == "fixed" else None
            found = self.fixed("ubuntu/updater/jammy", title, version, "binary", distribution=ubuntu)
            self.assertEqual(found, ("ubuntu-22.04", FixedPackage("curl", fixed, "binary", status=status)))
        self.assertEqual(self.only("ubuntu/updater/jammy", title, distribution=ubuntu).name, "CVE-2024-0001")

    def test_alpine(self) -> None:
        """0 means never affected; a name may contain several ids, with remarks."""
        for version_id, platform in (("3.20", "alpine-3.20"), ("edge", "alpine-edge")):
            alpine = {"did": "alpine", "version_id": version_id}
            found, skipped = parse(
                entry("alpine-main", "CVE-2024-0001 CVE-2024-0002 XSA-1", "8-r0", distribution=alpine)
            )
            self.assertEqual(skipped, {})
            self.assertEqual({each.name for each in found}, {"CVE-2024-0001", "CVE-2024-0002"})
            self.assertEqual({each.platform for each in found}, {platform})
            self.assertEqual({each.aliases for each in found}, {("XSA-1",)})
        _, package = self.fixed("alpine-main", "CVE-2024-0001", "0", distribution=alpine)
        self.assertEqual(package.status, "not_affected")

    def test_amazon(self) -> None:
        """An advisory keeps its name; its CVEs are in its links; it has one architecture."""
        for version_id, platform in (("2", "amazon-2"), ("2023", "amazon-2023"), ("2018.03", "amazon-1")):
            found = self.only(
                "aws-updater",
                "ALAS2023-2023-001",
                "2:1-1.amzn",
                "binary",
                distribution={"did": "amzn", "version_id": version_id},
                package={"arch": "x86_64"},
                arch_op="equals",
                links="https://cve.test/CVE-2024-0001 https://cve.test/CVE-2024-0002",
            )
            self.assertEqual((found.name, found.platform), ("ALAS2023-2023-001", platform))
            self.assertEqual(found.aliases, ("CVE-2024-0001", "CVE-2024-0002"))
            self.assertEqual(found.fixed_in, (FixedPackage("curl", "2:1-1.amzn", "binary", arches=("x86_64",)),))

    def test_oracle(self) -> None:
        """A title begins with the name of the advisory."""
        found = self.only(
            "oracle-2024-updater",
            "ELSA-2024-0001:  curl security update (IMPORTANT)",
            "0:8-1.el9",
            "binary",
            distribution={"did": "ol", "version_id": "9"},
            links="https://linux.test/errata/ELSA-2024-0001.html https://linux.test/cve/CVE-2024-0001.html",
        )
        self.assertEqual(
            (found.name, found.platform, found.aliases), ("ELSA-2024-0001", "oracle-9", ("CVE-2024-0001",))
        )
        self.assertEqual(found.details_href, "https://linux.test/errata/ELSA-2024-0001.html")

    def test_suse_and_photon(self) -> None:
        """The release is part of the updater's name; that of SLES is the major version only."""
        for distribution, platform in (
            ({"did": "sles", "version_id": "15"}, "sles-15"),
            ({"did": "opensuse-leap", "version_id": "15.6"}, "opensuse-leap-15.6"),
            ({"did": "opensuse-tumbleweed", "version_id": ""}, "opensuse-tumbleweed"),
            ({"did": "photon", "version_id": "5.0"}, "photon-5.0"),
        ):
            found = self.fixed("an-updater", "CVE-2024-0001", "0:8-1", "binary", distribution=distribution)
            self.assertEqual(found, (platform, FixedPackage("curl", "0:8-1", "binary")))

    def test_red_hat(self) -> None:
        """The product determines the platform; there are modules, alternative architectures, and vectors."""
        found = self.only(
            "rhel-vex",
            "CVE-2024-0001",
            "1:8-1.module+el9",
            "binary",
            repository=RHEL,
            package={"arch": "aarch64|amd64|x86_64|x86_64", "module": "nodejs:18:9040:rhel9"},
            arch_op="pattern match",
            severity="CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
            links="https://x.test/1 https://access.test/CVE-2024-0001 https://access.test/errata/RHSA-2024:0001",
        )
        self.assertEqual((found.platform, found.aliases), ("rhel-9", ("RHSA-2024:0001",)))
        self.assertEqual(found.details_href, "https://access.test/CVE-2024-0001")
        self.assertEqual(found.cvss, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H")
        arches = ("aarch64", "amd64", "x86_64")
        package = FixedPackage("curl", "1:8-1.module+el9", "binary", arches=arches, module="nodejs:18")
        self.assertEqual(found.fixed_in, (package,))

    def test_red_hat_unfixed(self) -> None:
        """Vulnerabilities without a fix name source packages."""
        found = self.fixed("rhel-vex", "CVE-2024-0001", repository=RHEL)
        self.assertEqual(found, ("rhel-9", FixedPackage("curl", None, status="affected")))


class EntryTests(UpdaterCase):
    """The fields that all entries have."""

    def test_invert(self) -> None:
        """An inverted entry means that a package is not affected, whatever version it has."""
        for version in ("", "1-1"):
            for invert, status in ((True, "not_affected"), (False, "fixed" if version else "affected")):
                _, found = self.fixed("rhel-vex", "CVE-2024-0001", version, "binary", repository=RHEL, Invert=invert)
                self.assertEqual((found.status, found.version), (status, version if status == "fixed" else None))

    def test_last_affected(self) -> None:
        """An rpm without a fix may have a last version that is affected."""
        package = {"version": "0:7-1"}
        _, found = self.fixed("rhel-vex", "CVE-2024-0001", "", "binary", repository=RHEL, package=package)
        self.assertEqual(found, FixedPackage("curl", None, "binary", status="affected", last_affected="0:7-1"))

    def test_arches(self) -> None:
        """A text that is not a list of architectures restricts nothing; source packages are skipped."""
        for operation, arch, arches in (
            ("equals", "x86_64", ("x86_64",)),
            ("equals", "noarch", None),
            ("pattern match", "^(s390x|aarch64)$", ("aarch64", "s390x")),
            ("pattern match", "x86_64|noarch", None),
            ("pattern match", "x86.*", None),
            ("not equals", "x86_64", None),
            ("", "x86_64", None),
            ("equals", "", None),
        ):
            _, found = self.fixed(
                "rhel-vex", "CVE-2024-0001", "1-1", "binary", repository=RHEL, package={"arch": arch}, arch_op=operation
            )
            self.assertEqual(found.arches, arches, (operation, arch))
        source = entry("rhel-vex", "CVE-2024-0001", "1-1", "binary", repository=RHEL, package={"arch": "src"})
        self.assertEqual(parse(source), ([], {}))

    def test_common(self) -> None:
        """Severity, date and aliases are converted."""
        told = {
            "Self": {"space": "CVE", "name": "CVE-2024-0001"},
            "Aliases": [{"space": "GHSA", "name": "aaaa-bbbb-cccc"}],
        }
        found = self.only("debian/updater", "CVE-2024-0001", distribution=DEBIAN, **told)
        self.assertEqual(found.aliases, ("GHSA-aaaa-bbbb-cccc",))
        self.assertEqual((found.severity, found.published), (Severity.MEDIUM, "2024-01-02T00:00:00Z"))
        self.assertEqual((found.source, found.details_href, found.cvss), ("clair", "", None))

    def test_left_out(self) -> None:
        """An entry without a known platform is skipped and counted; enrichments are ignored."""
        found, skipped = parse(
            entry("osv/pypi", "GHSA-aaaa-bbbb-cccc"),
            entry("x", "CVE-2024-0001", distribution={"did": "beos", "version_id": "5"}),
            entry("x", "CVE-2024-0001", distribution={"did": "debian", "version_id": "sid"}),
            entry("x", "CVE-2024-0001"),
            entry("rhel-vex", "CVE-2024-0001", repository={"key": "rhcc-container-repository", "name": "Red Hat"}),
            entry("rhel-vex", "CVE-2024-0001", repository=RHEL | {"name": "cpe:/a:redhat:openshift:4.16::el9"}),
            entry("x", "", distribution=DEBIAN),
            entry("x", "CVE-2024-0001", kind="ancestry", distribution=DEBIAN),
            entry("x", "CVE-2024-0001", "1 1", distribution=DEBIAN),
            entry("x", "CVE-2024-0001", package={"name": ""}, distribution=DEBIAN),
            entry("x", "CVE-2024-0001") | {"Vuln": None},
            {"Updater": "clair.cvss", "Kind": "enrichment", "Enrichment": {}},
        )
        (unreadable,) = found[0].fixed_in
        self.assertEqual((len(found), unreadable.name, unreadable.status), (1, "curl", "unreadable"))
        self.assertEqual(unreadable.note, "the version 1 1 is not valid")
        counted = {
            "package of a programming language": 1,
            "unknown distribution: beos 5": 1,
            "unknown distribution: debian sid": 1,
            "no distribution": 1,
            "container image": 1,
            "another product of Red Hat": 1,
            "no vulnerability id": 1,
            "not a package": 2,
            "unreadable": 1,
            "not a record": 1,
        }
        self.assertEqual(skipped, counted)

    def test_many_distributions(self) -> None:
        """However many names there are, the number of reasons is bounded."""
        distributions = [{"did": f"d{number}", "version_id": "1"} for number in range(100)]
        _, skipped = parse(*(entry("x", "CVE-2024-0001", distribution=each) for each in distributions))
        self.assertEqual((skipped.total(), len(skipped)), (100, 21))

    def test_wanted(self) -> None:
        """Platforms that are not served are ignored."""
        entries = [
            entry("debian/updater", "CVE-2024-0001", distribution=DEBIAN | {"version_id": f"1{n}"}) for n in "123"
        ]
        self.assertEqual([each.platform for each in parse(*entries, wanted=("debian-12",))[0]], ["debian-12"])

    def test_damaged(self) -> None:
        """A file that is not an export, or only a part of one, is refused."""
        whole = lines(*[entry("debian/updater", "CVE-2024-0001", distribution=DEBIAN)] * 2)
        for content in (b"", b"[]\n", b"{}\n", b"\n", b"<html>\n", whole[:-9], whole + b"\xff\n", b" " * 5_000_000):
            with self.assertRaisesRegex(SourceError, r"^(line \d+: .*|it is empty)$"):
                list(parse_clair_export(io.BytesIO(content), ParseContext("clair")))
