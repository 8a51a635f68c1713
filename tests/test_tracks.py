"""Tests for :mod:`patches.tracks`: the track that a version, a name or an advisory shows."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.tracks import EXTENSIONS, RULES, Extension, TrackRules, extension_of, is_track, label_of
from patches.vulnerability import FixedPackage

#: platform, package, version, track
BUILDS = (
    ("debian-12", "libreoffice-core", "4:25.2.3-2~bpo12+1", "backports"),
    ("debian-12", "linux-image-6.12", "6.12.43-1~bpo12+1", "backports"),
    ("debian-12", "linux-image-6.12", "6.12.43-1~deb12u1", None),
    ("ubuntu-22.04", "cockpit", "300-1~bpo22.04.1", "backports"),
    ("oracle-9", "kernel-uek-core", "0:5.15.0-309.180.4.el9uek", "uek7"),
    ("oracle-9", "kernel-uek-core", "0:6.12.0-101.33.4.3.el9uek", "uek8"),
    ("oracle-8", "kernel-uek", "0:5.4.17-2136.357.3.2.el8uek", "uek6"),
    ("oracle-7", "kernel-uek", "0:4.14.35-2047.541.4.1.el7uek", "uek5"),
    ("oracle-6", "kernel-uek", "0:2.6.39-400.294.3.el6uek", "uek2"),
    ("oracle-9", "bpftool", "0:5.15.0-309.180.4.el9uek", "uek7"),
    ("oracle-10", "kernel-uek", "0:7.1.3-1.el10uek", "uek-7.1"),
    ("oracle-8", "kernel-core", "0:4.18.0-553.el8_10", None),
    ("oracle-8", "glibc", "2:2.28-251.0.2.ksplice1.el8_10.2", "ksplice"),
    ("oracle-8", "gnutls", "10:3.6.16-8.el8_10.1_fips", "fips"),
    ("amazon-2", "kernel", "0:5.10.230-223.885.amzn2", "kernel-5.10"),
    ("amazon-2", "kernel-devel", "0:5.4.1-1.amzn2", "kernel-5.4"),
    ("amazon-2", "perf", "0:5.15.1-1.amzn2", "kernel-5.15"),
    ("amazon-2", "kernel", "0:4.14.355-276.618.amzn2", None),
    ("amazon-2", "kernel", "0:4.19.84-33.70.amzn2", "kernel-4.19"),
    ("amazon-2", "kernel", "0:6.1.10-1.amzn2", "kernel-6.1"),
    ("amazon-2", "kernel-livepatch-4.14.355-276.618", "0:1.0-0.amzn2", None),
    ("amazon-2", "bash", "0:5.10.2-1.amzn2", None),
    ("amazon-2023", "kernel", "0:6.1.10-15.42.amzn2023", None),
    ("sles-15.4", "libexpat1", "0:2.4.4-150400.3.6.9.24876.1.PTF.1203571", "ptf"),
    ("sles-12.3", "kernel-default", "0:4.4.140-96.97.TDC.1", "tdc"),
    ("sles-12.3", "kernel-default", "0:4.4.180-94.156.1", None),
    ("ubuntu-20.04", "openssl", "1.1.1f-1ubuntu2.fips.2.8", "fips"),
    ("ubuntu-18.04", "openssl", "1.1.1-1ubuntu2+Fips1", "fips"),
    ("ubuntu-20.04", "linux-fips", "5.4.0-1026.30", "fips"),
    ("ubuntu-20.04", "linux-aws-fips", "5.4.0-1026.30", "fips"),
    ("ubuntu-16.04", "systemd", "229-4ubuntu21.31+esm1", "esm"),
    ("ubuntu-22.04", "ffmpeg", "7:4.4.2-0ubuntu0.22.04.1~esm2", "esm"),
    ("unknown", "openssl", "1-1.fips", "fips"),
    ("not a platform", "openssl", "1-1.ksplice1", "ksplice"),
    ("not a platform", "openssl", "1-1", None),
)


class BuildTests(SynchronousTestCase):
    """The table of rules."""

    def test_builds(self) -> None:
        """A build shows its track by its version and its name."""
        for platform, name, version, expected in BUILDS:
            self.assertEqual(TrackRules(platform).of_build((name,), version), expected, version)

    def test_advisories(self) -> None:
        """The topic of an extra of Amazon Linux is in the id of the advisory, in two notations."""
        for name, expected in (
            ("ALAS2-2024-1", None),
            ("ALAS-2024-1", None),
            ("ALAS2023-2024-001", None),
            ("ALASKERNEL-5.10-2024-007", "kernel-5.10"),
            ("ALAS2KERNEL-5.10-2024-007", "kernel-5.10"),
            ("ALASDOCKER-2024-007", "docker"),
            ("ALASNGINX1.12-2021-1", "nginx1.12"),
            ("ALASSELINUX-NG-2021-001", "selinux-ng"),
            ("ALASNITRO-ENCLAVES-2021-001", "aws-nitro-enclaves-cli"),
            ("ALASLIVEPATCH-2023-001", "livepatch"),
            ("CVE-2024-1", None),
        ):
            self.assertEqual(TrackRules("amazon-2").of_advisory(name), expected, name)
            for platform in ("rhel-9", "amazon-2023"):
                self.assertIsNone(TrackRules(platform).of_advisory(name))

    def test_fixes(self) -> None:
        """The version of a fix goes before the track that the list names, if it shows a line of its own."""
        ubuntu, amazon = TrackRules("ubuntu-20.04"), TrackRules("amazon-2")
        for rules, record, fixed, expected in (
            (ubuntu, "CVE-1", FixedPackage("curl", "1", track="esm"), "esm"),
            (ubuntu, "CVE-1", FixedPackage("curl", "1.fips1", track="esm"), "fips"),
            (ubuntu, "CVE-1", FixedPackage("curl", "1+esm1"), "esm"),
            (ubuntu, "CVE-1", FixedPackage("curl", "1+esm1", track="realtime"), "realtime"),
            (ubuntu, "CVE-1", FixedPackage("curl", None), None),
            (amazon, "ALASDOCKER-2024-1", FixedPackage("docker", "1", "binary"), "docker"),
            (amazon, "ALAS2-2024-1", FixedPackage("bash", "1", "binary"), None),
        ):
            self.assertEqual(rules.of_fix(record, fixed), expected, fixed)


class ExtensionTests(SynchronousTestCase):
    """The tracks that extend the main line."""

    def test_kinds(self) -> None:
        """Each has a name for users; lines of their own and the main line are no extensions."""
        for track, kind, label in (
            ("esm", Extension.SOLD, "Ubuntu Pro"),
            ("eus-9.4", Extension.PINNED, "Extended Update Support 9.4"),
            ("e4s-8.6", Extension.PINNED, "Update Services for SAP Solutions 8.6"),
            ("ltss", Extension.SOLD, "LTSS"),
            ("els", Extension.SOLD, "Extended Life Cycle Support"),
            ("uek7", None, "uek7"),
            ("fips", None, "fips"),
            (None, None, "the main line"),
        ):
            self.assertEqual((extension_of(track), label_of(track)), (kind, label))

    def test_names(self) -> None:
        """Names of tracks are those of the tables; a misspelt one is none."""
        for name in ("esm", "eus-9.4", "ltss", "fips", "ptf", "uek7", "uek-7.1", "kernel-5.10", "live-patching"):
            self.assertTrue(is_track(name), name)
        for name in ("eus9.4", "eus", "frobnicate", "", "ESM", "main"):
            self.assertFalse(is_track(name), name)

    def test_authority(self) -> None:
        """Every row says who says so."""
        self.assertTrue(all(rule.authority for rule in RULES))
        self.assertTrue(all(row[3] and row[2] for row in EXTENSIONS))
