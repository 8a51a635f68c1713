"""The command that installs the upgrades: for each package tool in its own form, and safe to paste."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.inventory import Package
from patches.scanner.outcome import Coverage
from patches.scanner.output.tables.upgrade_command import upgrade_command
from patches.vulnerability import FixedPackage, Severity
from tests.scanner.sample_outcomes import finding, outcome


def package(name: str, arch: str = "x86_64", version: str = "1") -> Package:
    """Return a package."""
    return Package(name, version, arch, name, version)


class CommandTests(SynchronousTestCase):
    """The command of a host."""

    def command(self, platform: str, scheme: str, affected: list[Package], *others: Package, **more: object) -> object:
        """Return the command of a host with packages, some of which are affected."""
        found = tuple(
            finding(f"CVE-2026-000{n}", each, FixedPackage(each.name, "2", "binary"), Severity.HIGH, **more)
            for n, each in enumerate(affected)
        )
        coverage = Coverage(0, (), {}, {}, (*affected, *others), scheme, {}, frozenset({"esm"}))
        return upgrade_command(outcome(platform=platform, findings=found, unfixed=(), coverage=coverage))

    def test_dpkg(self) -> None:
        """Only the named packages are upgraded; those of another architecture than dpkg's are qualified."""
        affected = [package("libc6", "i386"), package("libc6", "amd64"), package("locales", "all")]
        expected = "apt-get install --only-upgrade libc6 libc6:i386 locales"
        self.assertEqual(self.command("debian-12", "dpkg", affected, package("dpkg", "amd64")), expected)
        most = self.command("debian-12", "dpkg", affected, package("a", "i386"), package("b", "i386"))
        self.assertEqual(most, "apt-get install --only-upgrade libc6 libc6:amd64 locales")

    def test_rpm(self) -> None:
        """The tool is that of the distribution, or else the one that is installed; an image is replaced whole."""
        affected = [package("libcurl", "i686"), package("libcurl")]
        for platform, tool, command in (
            ("rhel-9", "dnf", "dnf upgrade libcurl"),
            ("fedora-43", "dnf5", "dnf upgrade libcurl"),
            ("centos-7", "yum", "yum update libcurl"),
            ("amazon-2", "yum", "yum update libcurl"),
            ("rocky-9", "microdnf", "microdnf upgrade libcurl"),
            ("photon-5.0", "tdnf", "tdnf update libcurl"),
            ("sles-15.6", "zypper", "zypper update libcurl"),
            ("opensuse-leap-15.6", "dnf", "zypper update libcurl"),
            ("sl-micro-6.0", "zypper", "transactional-update pkg update libcurl"),
            ("fedora-43", "rpm-ostree", "rpm-ostree upgrade"),
            ("alma-9", "bash", "dnf upgrade libcurl"),
        ):
            self.assertEqual(self.command(platform, "rpm", affected, package(tool)), command, platform)

    def test_apk(self) -> None:
        """apk-tools 3 upgrades the packages that are named; older ones upgrade all."""
        affected = [package("musl"), package("busybox")]
        for version, command in (("3.0.6-r0", "apk upgrade busybox musl"), ("2.14.4-r1", "apk upgrade")):
            tool = package("apk-tools", version=version)
            self.assertEqual(self.command("alpine-3.20", "apk", affected, tool), command)
        newest = self.command("wolfi", "apk", affected, package("apk-tools", version="12.0"))
        self.assertEqual(newest, "apk upgrade busybox musl")
        self.assertEqual(self.command("alpine-3.20", "apk", affected), "apk upgrade")

    def test_tracks(self) -> None:
        """An upgrade that the host cannot get is not in the command."""
        for track, command in ((None, "a"), ("esm", "a"), ("eus-9.4", None)):
            found = self.command("debian-12", "dpkg", [package("a")], track=track)
            self.assertEqual(found, command and f"apt-get install --only-upgrade {command}")

    def test_harmful(self) -> None:
        """A name that a shell or a tool would obey is left out."""
        names = ("a;reboot", "--reinstall", "$(id)", "x y", "'", "ok+1.0~b-c")
        affected = [package(name, "amd64") for name in names]
        expected = "apt-get install --only-upgrade ok+1.0~b-c"
        self.assertEqual(self.command("debian-12", "dpkg", affected), expected)
        odd = [evolve(package("a"), arch="b c")]
        self.assertEqual(self.command("debian-12", "dpkg", odd, package("dpkg", "amd64")), None)

    def test_no_upgrade(self) -> None:
        """There is no command without a fix, or for a database that is not known."""
        self.assertIsNone(upgrade_command(outcome(findings=(), unfixed=())))
        self.assertIsNone(self.command("debian-12", "other", [package("a")]))
