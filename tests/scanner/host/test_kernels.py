"""Kernels: installed, running, waiting for a reboot; and the source packages of signed packages."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.host.kernels import Kernels, kernels_of, running_packages
from patches.scanner.inventory import Inventory, Package
from patches.scanner.matching.aliases import aliases_of


def package(name: str, version: str, arch: str = "amd64", source: str = "linux") -> Package:
    """Return a package whose source package has the same version."""
    return Package(name, version, arch, source, version)


OLD = package("linux-image-6.1.0-18-amd64", "6.1.76-1")
NEW = package("linux-image-6.1.0-28-amd64", "6.1.119-1")
DEBIAN = Inventory(
    "dpkg",
    (
        NEW,
        OLD,
        package("linux-image-amd64", "6.1.119-1"),
        package("linux-modules-extra-6.1.0-18-amd64", "6.1.76-1"),
        package("linux-libc-dev", "6.1.119-1"),
        package("bash", "5.2.15-2"),
    ),
)


class DebianTests(SynchronousTestCase):
    """A host on which two Debian kernels are installed."""

    def test_facts(self) -> None:
        """Installed, running and pending kernels are separate facts; a package without a release is not a kernel."""
        installed = ("6.1.0-18-amd64", "6.1.0-28-amd64")
        self.assertEqual(kernels_of(DEBIAN, "6.1.0-18-amd64"), Kernels(installed, "6.1.0-18-amd64"))
        self.assertEqual(kernels_of(DEBIAN, None), Kernels(installed, None))
        pending = {running: Kernels(installed, running).reboot_pending for running in (*installed, None)}
        self.assertEqual(pending, {"6.1.0-18-amd64": True, "6.1.0-28-amd64": False, None: None})

    def test_foreign_kernel(self) -> None:
        """A container shows the kernel of its host, which is not one of its own."""
        kernels = kernels_of(DEBIAN, "5.15.0-1")
        self.assertEqual((kernels and kernels.running, running_packages(DEBIAN, kernels)), (None, {}))

    def test_without(self) -> None:
        """If no kernel is installed there are no facts about kernels."""
        self.assertIsNone(kernels_of(Inventory("dpkg", (package("bash", "5"),)), "6.1.0-18-amd64"))

    def test_running(self) -> None:
        """Each package of a kernel says whether that kernel is running; other packages do not."""
        told = running_packages(DEBIAN, kernels_of(DEBIAN, "6.1.0-28-amd64"))
        names = {each.name: running for each, running in told.items()}
        self.assertEqual(names, {NEW.name: True, OLD.name: False, "linux-modules-extra-6.1.0-18-amd64": False})


class OtherTests(SynchronousTestCase):
    """Kernels of other distributions, by the output of ``uname -r``."""

    def release(self, scheme: str, *packages: Package, running: str) -> str | None:
        """Return which of the installed kernels is running."""
        kernels = kernels_of(Inventory(scheme, packages), running)
        return kernels and kernels.running

    def test_rpm(self) -> None:
        """Red Hat's releases have the architecture, SUSE's the flavour, Azure Linux's neither."""
        for name, version, arch, running in (
            ("kernel-core", "0:5.14.0-427.13.1.el9_4", "x86_64", "5.14.0-427.13.1.el9_4.x86_64"),
            ("kernel-64k-core", "0:5.14.0-427.13.1.el9_4", "aarch64", "5.14.0-427.13.1.el9_4.aarch64+64k"),
            ("kernel", "0:3.10.0-1160.el7", "x86_64", "3.10.0-1160.el7.x86_64"),
            ("kernel-uek-core", "0:5.15.0-200.131.27.el9uek", "x86_64", "5.15.0-200.131.27.el9uek.x86_64"),
            ("kernel-default", "0:6.4.0-150600.23.25.1", "x86_64", "6.4.0-150600.23.25-default"),
            ("kernel", "0:6.6.96.2-2.azl3", "x86_64", "6.6.96.2-2.azl3"),
        ):
            self.assertIsNotNone(self.release("rpm", package(name, version, arch), running=running), running)

    def test_rpm_others(self) -> None:
        """Headers, tools and modules are not kernels that could run."""
        for name in ("kernel-headers", "kernel-tools", "kernel-modules", "kernel-srpm-macros"):
            self.assertIsNone(kernels_of(Inventory("rpm", (package(name, "0:5.14.0-1.el9", "x86_64"),)), None), name)

    def test_order(self) -> None:
        """The newest kernel is determined by version order, not by alphabetical order."""
        packages = [package("kernel-core", f"0:5.14.0-{n}.el9", "x86_64") for n in ("70", "427", "162")]
        kernels = kernels_of(Inventory("rpm", tuple(packages)), "5.14.0-162.el9.x86_64")
        self.assertEqual(kernels and kernels.installed[-1], "5.14.0-427.el9.x86_64")
        self.assertIs(kernels and kernels.reboot_pending, True)

    def test_apk(self) -> None:
        """Alpine's releases consist of the version and the flavour."""
        lts = package("linux-lts", "6.6.31-r0", "x86_64", "linux-lts")
        self.assertEqual(self.release("apk", lts, running="6.6.31-0-lts"), "6.6.31-0-lts")
        self.assertIsNone(kernels_of(Inventory("apk", (package("linux-firmware", "1-r0"),)), "6.6.31-0-lts"))


class SignedTests(SynchronousTestCase):
    """Packages whose source package signs the build of another one."""

    def test_signed(self) -> None:
        """They are found under the source package that the lists name, with the version that was signed."""
        for source, version, expected in (
            ("linux-signed-amd64", "6.1.76-1", ("linux", "6.1.76-1")),
            ("linux-signed-hwe-6.5", "6.5.0-14.14~22.04.1", ("linux-hwe-6.5", "6.5.0-14.14~22.04.1")),
            ("grub-efi-amd64-signed", "1+2.06+13+deb12u1", ("grub2", "2.06-13+deb12u1")),
            ("grub-efi-amd64-signed", "1+2.14+4", ("grub2", "2.14-4")),
            ("grub2-signed", "1.187.3~20.04.1+2.06-2ubuntu14.1", ("grub2-unsigned", "2.06-2ubuntu14.1")),
            ("shim-signed", "1.44~1+deb12u1+15.8-1~deb12u1", ("shim", "15.8-1~deb12u1")),
            ("shim-signed", "1.34.9.2+13-0ubuntu2", ("shim", "13-0ubuntu2")),
            ("shim-signed", "1.39+15+1533136590.3beb971-0ubuntu1", ("shim", "15+1533136590.3beb971-0ubuntu1")),
            ("shim-helpers-amd64-signed", "1+15.8+1~deb11u1", ("shim", "15.8-1~deb11u1")),
        ):
            names = list(aliases_of(Package("x", version, "amd64", source, "1"), "dpkg"))
            self.assertEqual(names[2:], [("source", *expected)], version)

    def test_others(self) -> None:
        """A package with a similar name, or of another distribution, is found under its own names only."""
        for source, scheme in (("linux-base", "dpkg"), ("shim", "dpkg"), ("linux-signed", "rpm")):
            self.assertEqual(len(list(aliases_of(Package("x", "1+2.06-1", "amd64", source, "1"), scheme))), 2, source)
