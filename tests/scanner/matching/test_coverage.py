"""Tests for :mod:`patches.scanner.matching.coverage`: foreign packages, and what a list does not know."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.inventory import Inventory, Package
from patches.scanner.matching.coverage import (
    NO_RECORD_OF_SOURCE,
    UNKNOWN,
    Origins,
    Unjudged,
    foreign_packages,
    general_reason,
    unjudged_packages,
    unknown_origins,
)
from patches.scanner.matching.matcher import Matcher
from patches.vulnerability import FOLLOWED, FixedPackage, Vulnerability

BASH = Package("bash", "5.2.15-2", "amd64", "bash", "5.2.15-2")
ADDUSER = Package("adduser", "3.134", "all", "adduser", "3.134")
KERNEL = Package("linux-image-6.1.0-18-amd64", "6.1.76-1", "amd64", "linux-signed-amd64", "6.1.76+1")
GRUB = Package("grub-efi-amd64-bin", "2.06-13+deb12u1", "amd64", "grub2", "2.06-13+deb12u1")


def of(vendor: str | None, version: str = "1-1", name: str = "tool") -> Package:
    """Return a package of a vendor or origin."""
    return Package(name, version, "amd64", name, version, vendor=vendor)


class ForeignTests(SynchronousTestCase):
    """Which packages are known not to be from the distribution."""

    def test_both_sides(self) -> None:
        """Foreign needs positive evidence; the distribution's own packages and those of unknown makers are compared."""
        for platform, vendor, version, expected in (
            ("ubuntu-22.04", "LP-PPA-mozillateam", "1:128.10~mt1", "from LP-PPA-mozillateam"),
            ("ubuntu-22.04", "Ubuntu", "1-1", None),
            ("ubuntu-22.04", "Canonical Ltd", "1-1", None),
            ("ubuntu-22.04", "ACME mirror", "1-1", None),
            ("ubuntu-22.04", "pop-os-release", "1-1", "from pop-os-release"),
            ("ubuntu-22.04", None, "6.9.3-76060903.202405300957~1726766035~22.04~4092a0e", "a build of Pop!_OS"),
            ("ubuntu-22.04", "linuxmint", "1-1", "from linuxmint"),
            ("debian-12", None, "1:6.6.31-1+rpt1", "a build of Raspberry Pi"),
            ("debian-12", "Raspberry Pi Foundation", "1-1", "from Raspberry Pi Foundation"),
            ("debian-12", "Debian", "1-1", None),
            ("debian-12", "Debian Backports", "1-1~bpo12+1", None),
            ("debian-12", "Docker", "5:26.1.3-1~debian.12~bookworm", "from Docker"),
            ("debian-12", "nginx", "1.28.0-1~bookworm", "from nginx"),
            ("debian-12", ". nodistro", "20.11.0-1nodesource1", "from . nodistro"),
            ("debian-12", "aptly mirror", "1-1", None),
            ("debian-12", None, "16.3-1.pgdg120+1", "a build of PostgreSQL"),
            ("alma-9", "AlmaLinux", "0:1-1", None),
            ("alma-9", "Fedora Project", "0:1-1.el9", "from Fedora Project"),
            ("alma-9", "NGINX Packaging <nginx-packaging@f5.com>", "1:1.28.0-1", "from NGINX Packaging <nginx"),
            ("alma-9", "ACME Corp. IT", "0:1-1", None),
            ("rocky-9", "AlmaLinux", "0:1-1", "from AlmaLinux"),
            ("fedora-43", "Fedora Project", "0:1-1", None),
            ("rhel-9", "Red Hat, Inc.", "0:1-1", None),
            ("oracle-8", "Oracle America", "0:1-1", None),
            ("rhel-8", "Oracle and/or its affiliates", "0:8.0-1", "from Oracle and/or its affiliates"),
            ("sles-15.6", "SUSE LLC <https://www.suse.com/>", "0:1-1", None),
            ("sles-15.6", "obs://build.opensuse.org/home:x", "0:1-1", "from obs://build.opensuse.org/home:x"),
            ("alpine-3.20", None, "1-r0", None),
        ):
            package = of(vendor, version)
            found = foreign_packages((package,), platform, Origins()).get(package)
            self.assertEqual(found[:27] if found else None, expected[:27] if expected else None, (platform, vendor))

    def test_operator(self) -> None:
        """An operator's word goes before the tables, in any case of letters; of two words, that it is ours."""
        docker, mirror = of("Docker"), of("ACME Mirror", "1:6.6.31-1+rpt1")
        both = (docker, mirror)
        found = foreign_packages(both, "debian-12", Origins(own=("docker", "acme*")))
        self.assertEqual(found, {})
        self.assertEqual(foreign_packages((of("x"),), "debian-12", Origins(foreign=("X",))), {of("x"): "from x"})
        self.assertEqual(foreign_packages((of("x"),), "debian-12", Origins(("x",), ("x",))), {})

    def test_unknown_origins(self) -> None:
        """Packages of an origin in no table are counted by origin, unless the operator says that it is ours."""
        packages = (of("ACME"), of("ACME", name="b"), of("Debian"), of(None), of("Docker"))
        foreign = foreign_packages(packages, "debian-12", Origins())
        self.assertEqual(unknown_origins(packages, "debian-12", Origins(), foreign), {"ACME": 2})
        self.assertEqual(unknown_origins(packages, "debian-12", Origins(own=("acme",)), foreign), {})


class UnjudgedTests(SynchronousTestCase):
    """The reasons for which a package has no verdict, each package for one of them."""

    def unjudged(self, packages: tuple[Package, ...], *listed: Vulnerability, platform: str = "debian-12") -> Unjudged:
        """Match a list with packages. Return those without a verdict."""
        foreign = foreign_packages(packages, platform, Origins())
        inventory = Inventory("dpkg", packages, platform=platform, foreign=foreign)
        matcher = Matcher(inventory)
        for each in listed:
            list(matcher.match(each))
        return unjudged_packages(inventory, matcher)

    def record(self, *fixed: FixedPackage) -> Vulnerability:
        """Return a record of fixes."""
        return Vulnerability("CVE-2024-1", "debian-12", fixed)

    def test_followed(self) -> None:
        """A package that the sources do not follow is unknown to the list; without such a list nothing is said."""
        followed = Vulnerability(FOLLOWED, "debian-12", followed=("openssl",))
        found = self.unjudged((BASH, ADDUSER), followed, self.record(FixedPackage("bash", "1")))
        self.assertEqual(found.not_covered, {ADDUSER: UNKNOWN})
        self.assertEqual(self.unjudged((BASH, ADDUSER)).not_covered, {})
        followed = Vulnerability(FOLLOWED, "debian-12", followed=("adduser", "bash"))
        self.assertEqual(self.unjudged((BASH, ADDUSER), followed).not_covered, {})

    def test_kernels(self) -> None:
        """A kernel or boot loader without a record of its source is not covered, never fine."""
        found = self.unjudged((KERNEL, GRUB, BASH), self.record(FixedPackage("bash", "1")))
        self.assertEqual(found.not_covered, {KERNEL: NO_RECORD_OF_SOURCE, GRUB: NO_RECORD_OF_SOURCE})
        found = self.unjudged((KERNEL, GRUB), self.record(FixedPackage("linux", "1"), FixedPackage("grub2", "1")))
        self.assertEqual(found.not_covered, {})
        for name, source, scheme in (
            ("kernel6.12", "kernel6.12", "rpm"),
            ("kernel-desktop-6.6.30-1.mga9", "kernel", "rpm"),
            ("kernel-preempt", "kernel-preempt", "rpm"),
            ("linux-esx", "linux-esx", "rpm"),
            ("kernel-lt-core", "kernel-lt", "rpm"),
            ("raspberrypi-kernel", "raspberrypi-firmware", "dpkg"),
            ("proxmox-kernel-6.8.12-1-pve-signed", "proxmox-kernel-signed-6.8", "dpkg"),
            ("systemd-boot", "systemd", "dpkg"),
        ):
            kernel = Package(name, "1-1", "amd64", source, "1-1")
            tool = Package("tool", "1-1", "amd64", source, "1-1")
            headers = Package("kernel-headers", "1-1", "amd64", source, "1-1")
            inventory = Inventory(scheme, (kernel, tool, *((headers,) if scheme == "rpm" else ())))
            found = unjudged_packages(inventory, Matcher(inventory))
            self.assertEqual(set(found.not_covered), {kernel, tool}, name)
        for name in ("kernel-srpm-macros", "kernel-tools", "linux-firmware", "kernel-headers"):
            other = Package(name, "1-1", "x86_64", name, "1-1")
            inventory = Inventory("rpm", (other,))
            self.assertEqual(unjudged_packages(inventory, Matcher(inventory)).not_covered, {}, name)
        meta = Package("linux-image-generic", "6.8.0-40.40", "amd64", "linux-meta", "6.8.0-40.40")
        self.assertEqual(self.unjudged((meta,), platform="ubuntu-24.04").not_covered, {})

    def test_affected(self) -> None:
        """A kernel's other packages are covered if one of the same source is, with a finding or not."""
        core = Package("linux-image-6.1.0-18-amd64", "6.1.76-1", "amd64", "linux", "6.1.76-1")
        inventory = Inventory("dpkg", (core, KERNEL))
        matcher = Matcher(inventory)
        list(matcher.match(self.record(FixedPackage("linux-image-6.1.0-18-amd64", "6.1.90-1", "binary"))))
        self.assertEqual(unjudged_packages(inventory, matcher, {core, KERNEL}).not_covered, {})

    def test_order(self) -> None:
        """Of several reasons the first holds: damaged, foreign, another track, unknown to the list."""
        version = "1:6.6-1+rpt1~bpo12+1"
        damaged = Package("linux-image-1", version, "amd64", "linux", version, problem="line 7: not a field")
        foreign = Package("linux-image-2", version, "amd64", "linux", version)
        track = Package("linux-image-3", "6.12-1~bpo12+1", "amd64", "linux", "6.12-1~bpo12+1")
        unknown = Package("linux-image-4", "6.12-1", "amd64", "linux", "6.12-1")
        found = self.unjudged((damaged, foreign, track, unknown))
        self.assertEqual(found.not_covered, {foreign: "a build of Raspberry Pi", unknown: NO_RECORD_OF_SOURCE})
        reasons = {package: why[0] for package, why in found.not_evaluated.items()}
        self.assertEqual(set(reasons), {damaged, track})
        self.assertIn("line 7: not a field", reasons[damaged])
        self.assertIn("(backports)", reasons[track])

    def test_general(self) -> None:
        """A reason that may leave the host names neither a maker nor a track."""
        for reason, expected in (
            (UNKNOWN, "unknown to the list"),
            (NO_RECORD_OF_SOURCE, NO_RECORD_OF_SOURCE),
            ("from Docker", "not from the distribution"),
            ("a build of Raspberry Pi", "not from the distribution"),
            ("the list has no records of docker", "the list has no records of its track"),
        ):
            self.assertEqual(general_reason(reason), expected)
