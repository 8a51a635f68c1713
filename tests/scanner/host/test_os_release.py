"""The platform of a host: right for every distribution that has lists, an error for every other."""

from __future__ import annotations

import json
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.host.distributions import UnknownPlatform, platform_of
from patches.scanner.host.os_release import System, detect_platform, parse, system_of
from tests.shared_data import shared


class ParseTests(SynchronousTestCase):
    """The syntax of ``os-release``."""

    def test_quotes(self) -> None:
        """Values are quoted as in a shell."""
        fields = parse('A="x \\"y\\""\nB=\'it\'\'s\'\nC=\nD="z')
        self.assertEqual(fields, {"A": 'x "y"', "B": "its", "C": "", "D": "z"})


class DetectTests(SynchronousTestCase):
    """The files in which the fields are found."""

    def setUp(self) -> None:
        self.root = Path(self.mktemp())

    def write(self, path: str, text: str) -> None:
        """Write a file on the host."""
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def test_fallback(self) -> None:
        """The vendor's file is read if etc has no such file; otherwise the one in etc takes precedence."""
        self.write("usr/lib/os-release", "ID=debian\nVERSION_ID=12\n")
        self.assertEqual(detect_platform(self.root), "debian-12")
        self.write("etc/os-release", "ID=debian\nVERSION_ID=13\n")
        self.assertEqual(detect_platform(self.root), "debian-13")

    def test_links(self) -> None:
        """Links, even absolute ones, stay within the root folder."""
        self.write("usr/lib/os-release", "ID=debian\nVERSION_ID=12\n")
        self.write("etc/hostname", "x")
        (self.root / "etc/os-release").symlink_to("/usr/lib/os-release")
        self.assertEqual(detect_platform(self.root), "debian-12")

    def test_nothing(self) -> None:
        """A folder that is not a host is an error that names it; so is a file that cannot be read."""
        self.assertIn(str(self.root), str(self.assertRaises(UnknownPlatform, detect_platform, self.root)))
        (self.root / "etc/os-release").mkdir(parents=True)
        self.assertIn("Not a regular file", str(self.assertRaises(UnknownPlatform, detect_platform, self.root)))

    def test_old_centos(self) -> None:
        """CentOS 6 has its name and version in another file."""
        self.write("etc/centos-release", "CentOS release 6.10 (Final)\n")
        self.assertEqual(detect_platform(self.root), "centos-6")

    def test_alpine_repositories(self) -> None:
        """A host that installs from edge by default is edge; one that does so on request keeps its release."""
        self.write("etc/os-release", "ID=alpine\nVERSION_ID=3.20.3\n")
        url = "https://dl-cdn.alpinelinux.org/alpine"
        self.write("etc/apk/repositories", f"{url}/v3.20/main\n@edge {url}/edge/main\n#{url}/edge/main\n")
        self.assertEqual(detect_platform(self.root), "alpine-3.20")
        self.write("etc/apk/repositories", f"{url}/edge/main\n{url}/edge/community\n")
        self.assertEqual(detect_platform(self.root), "alpine-edge")

    def test_real_hosts(self) -> None:
        """Every real host is the platform that its folder is named after."""
        other = {"almalinux-8": "alma-8", "el-8": "alma-8", "sle-15": "sles-15.3", "azurelinux-2": "azurelinux-2.0"}
        hosts = [path.parent for path in shared("data/hosts").glob("*/*/inventory.json")]
        for host in hosts:
            name = host.parent.name
            self.assertEqual(detect_platform(host), other.get(name, name), host)
            recorded = json.loads((host / "inventory.json").read_text())["os_release"]
            self.assertEqual(platform_of(recorded), other.get(name, name), host)
        self.assertGreater(len(hosts), 20)


class SystemTests(SynchronousTestCase):
    """The system that a host says that it is."""

    def system(self, text: str) -> System:
        """Return the system of a host with this file."""
        root = Path(self.mktemp())
        (root / "etc").mkdir(parents=True)
        (root / "etc/os-release").write_text(text)
        return system_of(root)

    def test_names(self) -> None:
        """Its name is the pretty one, else name and version; derivatives are marked."""
        for text, name, is_derivative in (
            ('ID=linuxmint\nPRETTY_NAME="Linux Mint 21.2"\nUBUNTU_CODENAME=jammy', "Linux Mint 21.2", True),
            ('ID=debian\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"', "Debian GNU/Linux 12 (bookworm)", False),
            ('ID=raspbian\nNAME="Raspbian GNU/Linux"\nVERSION="11"', "Raspbian GNU/Linux 11", True),
            ('ID="rhcos"\nNAME="Red Hat Enterprise Linux CoreOS"', "Red Hat Enterprise Linux CoreOS", True),
            ("ID=debian", None, False),
        ):
            system = self.system(text)
            self.assertEqual((system.name, system.is_derivative), (name, is_derivative), text)
        self.assertEqual(system_of(Path(self.mktemp())), System())

    def test_facts(self) -> None:
        """Its version and the end of its support are as the file has them."""
        system = self.system("ID=amzn\nVERSION_ID=2023\nSUPPORT_END=2028-03-15\n")
        self.assertEqual((system.version, system.support_end), ("2023", "2028-03"))
