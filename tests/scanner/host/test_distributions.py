"""Tests for :mod:`patches.scanner.host.distributions`: right for every distribution with lists, an error for others."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.platforms import Platform
from patches.scanner.host.distributions import UnknownPlatform, platform_of
from patches.scanner.host.os_release import parse

KNOWN = [
    ('ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm', "debian-12"),
    ('ID=debian\nPRETTY_NAME="Debian GNU/Linux forky/sid"\nVERSION_CODENAME=forky', "debian-unstable"),
    ('ID=raspbian\nID_LIKE=debian\nVERSION_ID="11"', "debian-11"),
    ("ID=ubuntu\nID_LIKE=debian\nVERSION_ID='22.04'\nUBUNTU_CODENAME=jammy", "ubuntu-22.04"),
    ("ID=alpine\nVERSION_ID=3.20.3", "alpine-3.20"),
    ("ID=alpine\nVERSION_ID=3.21.0_alpha20240923", "alpine-edge"),
    ('ID="rhel"\nID_LIKE="fedora"\nVERSION_ID="8.9"\nCPE_NAME="cpe:/o:redhat:enterprise_linux:8::baseos"', "rhel-8"),
    ('NAME="CentOS Stream"\nID="centos"\nVERSION_ID="9"', "centos-stream-9"),
    ('NAME="CentOS Linux"\nID="centos"\nVERSION_ID="7"', "centos-7"),
    ('ID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.5"', "rocky-9"),
    ('ID="almalinux"\nVERSION_ID="10.0"', "alma-10"),
    ('ID="ol"\nVERSION_ID="9.4"', "oracle-9"),
    ('ID="amzn"\nVERSION_ID="2"', "amazon-2"),
    ('ID="amzn"\nVERSION_ID="2023.6.20241121"', "amazon-2023"),
    ('ID="amzn"\nVERSION_ID="2018.03"', "amazon-1"),
    ("ID=fedora\nVERSION_ID=43", "fedora-43"),
    ('ID="sles"\nVERSION_ID="15.7"', "sles-15.7"),
    ('ID="sles"\nVERSION_ID="15"', "sles-15"),
    ('ID="sles_sap"\nVERSION_ID="15.6"', "sles-15.6"),
    ('ID="sled"\nVERSION_ID="15.6"', "sles-15.6"),
    ('ID="opensuse-leap"\nVERSION_ID="15.6"', "opensuse-leap-15.6"),
    ('ID="opensuse"\nVERSION_ID="42.3"', "opensuse-leap-42.3"),
    ('ID="opensuse-tumbleweed"\nVERSION_ID="20241119"', "opensuse-tumbleweed"),
    ("ID=photon\nVERSION_ID=5.0", "photon-5.0"),
    ('ID=azurelinux\nVERSION_ID="3.0"', "azurelinux-3.0"),
    ('ID=mariner\nVERSION_ID="2.0"', "azurelinux-2.0"),
    ("ID=wolfi\nVERSION_ID=20230201", "wolfi"),
    ("ID=chainguard\nVERSION_ID=20230214", "chainguard"),
    ("ID=arch\nBUILD_ID=rolling", "arch"),
    ('ID="mageia"\nVERSION_ID=9\nID_LIKE="mandriva fedora mageia"', "mageia-9"),
    ('ID="openEuler"\nVERSION_ID="22.03"\nVERSION="22.03 (LTS-SP3)"', "openeuler-22.03.sp3"),
    ('ID="openEuler"\nVERSION_ID="22.03"\nPRETTY_NAME="openEuler 22.03 (LTS-SP1)"', "openeuler-22.03.sp1"),
    ('ID="openEuler"\nVERSION_ID="20.03"\nVERSION="20.03 (LTS)"', "openeuler-20.03"),
    ('ID="sl-micro"\nVERSION_ID="6.0"\nID_LIKE="suse"', "sl-micro-6.0"),
    ('ID="sle-micro"\nVERSION_ID="5.5"', "sl-micro-5.5"),
    ('ID="rhcos"\nVERSION_ID="4.16"\nRHEL_VERSION="9.4"\nID_LIKE="rhel fedora"', "rhel-9"),
    ("ID=alpaquita\nVERSION_ID=23", "alpaquita-23"),
    ("ID=alpaquita\nVERSION_ID=stream", "alpaquita-stream"),
    ("ID=bellsoft-hardened-containers\nVERSION_ID=25", "bellsoft-hardened-containers-25"),
    ("ID=minimos\nVERSION_ID=20241031", "minimos"),
    ("ID=frob-os\nVERSION_ID=1.2", "frob-os-1.2"),
    ("ID=frob", "frob"),
    ('ID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_ID="22"\nUBUNTU_CODENAME=noble', "ubuntu-24.04"),
    ('ID=pop\nVERSION_ID="22.04"\nUBUNTU_CODENAME=jammy', "ubuntu-22.04"),
    ('ID=linuxmint\nVERSION_ID="6"\nDEBIAN_CODENAME=bookworm', "debian-12"),
    ("# a comment\nBROKEN\n  ID=debian  \nVERSION_ID=13\nNAME='unfinished", "debian-13"),
]

UNKNOWN = [
    "",
    "ID=",
    "ID=Frob\nVERSION_ID=1",
    "ID=frob\nVERSION_ID=rolling release",
    "ID=debian\nVERSION_ID=forky",
    "ID=ubuntu",
    "ID=ubuntu\nVERSION_ID=22",
    "ID=alpine",
    "ID=rocky\nVERSION_ID=../../9",
    "ID=fedora\nVERSION_ID=44\nVERSION=\"44 (Rawhide)\"",
    "ID=sl-micro\nVERSION_ID=6",
    "ID=rhcos\nVERSION_ID=4.16",
    "ID=alpaquita\nVERSION_ID=edge",
    "ID=kali\nID_LIKE=debian\nVERSION_ID=2024.3",
    "ID=parrot\nDEBIAN_CODENAME=bookworm",
    "ID=devuan\nID_LIKE=debian\nVERSION_ID=5",
    "ID=manjaro\nID_LIKE=arch",
    "ID=eurolinux\nID_LIKE=\"rhel fedora centos\"\nVERSION_ID=9.2",
    "ID=elementary\nUBUNTU_CODENAME=zesty",
]  # fmt: skip


class PlatformTests(SynchronousTestCase):
    """The meaning of the fields of ``os-release``."""

    def test_known(self) -> None:
        """Each distribution's release is named as in its lists."""
        for text, expected in KNOWN:
            self.assertEqual(platform_of(parse(text)), expected, text)
            self.assertEqual(str(Platform.from_name(expected)), expected)

    def test_unknown(self) -> None:
        """A platform without lists is an error in one line, never a guess."""
        for text in UNKNOWN:
            message = str(self.assertRaises(UnknownPlatform, platform_of, parse(text)))
            self.assertIn("unknown platform (", message)
            self.assertNotIn("\n", message)
