"""Tests for :mod:`patches.scanner.matching.kernel_headers`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.inventory import Inventory, Package
from patches.scanner.matching.kernel_headers import has_no_kernel_code
from patches.scanner.matching.matcher import Matcher
from patches.vulnerability import FixedPackage, Vulnerability

APART = {
    "dpkg": "linux-libc-dev linux-libc-dev-arm64-cross linux-headers-6.1.0-18-amd64 linux-headers-6.1.0-18-common "
    "linux-headers-amd64 linux-hwe-6.8-headers-6.8.0-40 linux-aws-5.15-headers-5.15.0-1014 linux-kbuild-6.1 linux-doc "
    "linux-doc-6.1 linux-source linux-source-6.1 linux-config-6.1",
    "rpm": "kernel-headers kernel-devel kernel-doc kernel-uek-devel kernel-rt-devel kernel-64k-devel-matched "
    "kernel-default-devel kernel-macros kernel-source kernel-syms kernel-debug-devel kernel-docs kernel6.12-devel "
    "kernel6.12-headers linux-devel linux-docs linux-esx-devel linux-api-headers",
    "apk": "linux-headers linux-lts-dev linux-lts-doc linux-virt-dev",
}
COMPARED = {
    "dpkg": "linux-image-6.1.0-18-amd64 linux-perf linux-tools-common linux-cpupower bpftool linux-base usbip "
    "linux-modules-6.8.0-40-generic openssl",
    "rpm": "kernel kernel-core kernel-modules kernel-tools perf bpftool kernel-uek-core kernel-default python3-perf",
    "apk": "linux-lts linux-virt perf openssl",
}


class HeaderTests(SynchronousTestCase):
    """Packages of a kernel's source without kernel code."""

    def test_names(self) -> None:
        """Headers, documentation and sources are apart; kernels, modules and compiled tools are not."""
        for names, expected in ((APART, True), (COMPARED, False)):
            for scheme, text in names.items():
                for name in text.split():
                    self.assertIs(has_no_kernel_code(Package(name, "1", "x", "linux", "1"), scheme), expected, name)
        self.assertFalse(has_no_kernel_code(Package("kernel-headers", "1", "x", "kernel", "1"), "other"))

    def test_apart(self) -> None:
        """A flaw of the kernel is no finding of its headers; it is counted."""
        package = Package("linux-libc-dev", "6.1.94-1", "amd64", "linux", "6.1.94-1")
        subject = Matcher(Inventory("dpkg", (package,)))
        for number in range(3):
            fixed = FixedPackage("linux", "6.1.99-1")
            self.assertEqual(list(subject.match(Vulnerability(f"CVE-2024-{number}", "debian-12", (fixed,)))), [])
        self.assertEqual((subject.headers, subject.not_evaluated), (3, {}))
        list(subject.match(Vulnerability("CVE-2024-4", "debian-12", (FixedPackage("linux", "6.1.9-1"),))))
        self.assertEqual(subject.headers, 3, "the installed version has this fix")

    def test_line(self) -> None:
        """Headers of another line of builds need no record of that line."""
        package = Package("kernel-uek-devel", "0:5.15.0-309.el9uek", "x86_64", "kernel-uek", "5.15.0-309.el9uek")
        subject = Matcher(Inventory("rpm", (package,), platform="oracle-9"))
        self.assertIsNone(subject.reason_unjudged(package))
