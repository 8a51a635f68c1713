"""Tests for :mod:`patches.scanner.host.tracks`: the tracks that a host has by its own files."""

from __future__ import annotations

import json
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.host.tracks import tracks_of_host
from patches.scanner.inventory import Package

BASH = Package("bash", "5.0-6ubuntu1", "amd64", "bash", "5.0-6ubuntu1")
ESM_LIST = "# Written by ubuntu-pro-client\ndeb https://esm.ubuntu.com/infra/ubuntu jammy-infra-security main\n"
ESM_SOURCES = "Types: deb\nURIs: https://esm.ubuntu.com/apps/ubuntu\nSuites: jammy-apps-security\nComponents: main\n"
STATUS = "var/lib/ubuntu-advantage/status.json"
REDHAT = "etc/yum.repos.d/redhat.repo"
EUS_REPO = """[rhel-9-for-x86_64-baseos-eus-rpms]
name = Red Hat Enterprise Linux 9 for x86_64 - BaseOS - Extended Update Support (RPMs)
baseurl = https://cdn.redhat.com/content/eus/rhel9/$releasever/x86_64/baseos/os
enabled = {enabled}
"""


class TracksCase(SynchronousTestCase):
    """A root folder with some files."""

    def tracks(self, platform: str, files: dict[str, str], version: str = "", *packages: Package) -> set[str]:
        """Return the tracks of a host with these files."""
        root = Path(self.mktemp())
        root.mkdir()
        for path, content in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(content)
        return set(tracks_of_host(root, (BASH, *packages), platform, version))


class UbuntuTests(TracksCase):
    """Subscriptions to services of Ubuntu Pro."""

    def test_version(self) -> None:
        """An installed version from the track remains a sign of the subscription."""
        for version, expected in (("1-2ubuntu3+esm1", True), ("1-2~esm2", True), ("1-2ubuntu3", False)):
            package = Package("p", version, "amd64", "p", version)
            self.assertEqual(bool(self.tracks("ubuntu-22.04", {}, "22.04", package)), expected, version)

    def test_sources(self) -> None:
        """apt's sources are a sign if a repository is in use: not commented out, not disabled, not another file."""
        for path, content, expected in (
            ("sources.list.d/ubuntu-esm-infra.list", ESM_LIST, {"esm"}),
            ("sources.list.d/ubuntu-esm-apps.sources", ESM_SOURCES, {"esm"}),
            ("sources.list", ESM_LIST, {"esm"}),
            ("sources.list.d/fips.list", "deb https://esm.ubuntu.com/fips-updates/ubuntu focal-updates main", {"fips"}),
            ("sources.list.d/rt.list", "deb https://esm.ubuntu.com/realtime/ubuntu jammy main", {"realtime"}),
            ("sources.list.d/ubuntu-esm-infra.list", ESM_LIST.replace("deb ", "# deb "), set()),
            ("sources.list.d/ubuntu-esm-infra.list", "", set()),
            ("sources.list.d/ubuntu-esm-apps.sources", ESM_SOURCES + "Enabled: no\n", set()),
            ("sources.list.d/ubuntu-esm-apps.sources", "#" + ESM_SOURCES.replace("\n", "\n#"), set()),
            ("sources.list.d/ubuntu-esm-infra.list.save", ESM_LIST, set()),
            ("sources.list.d/ubuntu.sources", ESM_SOURCES.replace("esm.ubuntu.com/apps", "archive.ubuntu.com"), set()),
        ):
            self.assertEqual(self.tracks("ubuntu-22.04", {f"etc/apt/{path}": content}), expected, (path, content))

    def test_status(self) -> None:
        """The client's status is a sign: each service that is enabled; a file that cannot be read is none."""
        services = [{"name": "esm-infra", "status": "enabled"}, {"name": "fips", "status": "disabled"}]
        for status, expected in (
            ({"attached": True}, {"esm"}),
            ({"attached": True, "services": services}, {"esm"}),
            ({"attached": True, "services": [{"name": "fips", "status": "enabled"}, 7]}, {"fips"}),
            ({"attached": True, "services": []}, set()),
            ({"attached": False, "services": services}, set()),
            ([], set()),
        ):
            self.assertEqual(self.tracks("ubuntu-22.04", {STATUS: json.dumps(status)}), expected, status)
        self.assertEqual(self.tracks("ubuntu-22.04", {STATUS: "[" * 10000}), set())

    def test_other_platforms(self) -> None:
        """These files mean nothing on another distribution."""
        for platform in ("debian-12", "rhel-9", "not a platform!"):
            self.assertEqual(self.tracks(platform, {"etc/apt/sources.list": ESM_LIST}), set())


class RedHatTests(TracksCase):
    """Minor releases that a host stays on, by the published form of ``redhat.repo`` and dnf's variables."""

    def test_repositories(self) -> None:
        """An enabled repository of extended support is a sign, for the minor release that it or the host names."""
        for content, version, expected in (
            (EUS_REPO.format(enabled=1), "9.4", {"eus-9.4"}),
            (EUS_REPO.format(enabled=0), "9.4", set()),
            (EUS_REPO.format(enabled=1).replace("$releasever", "9.2"), "9.4", {"eus-9.2"}),
            (EUS_REPO.format(enabled=1).replace("eus", "e4s"), "9.4", {"e4s-9.4"}),
            (EUS_REPO.format(enabled=1).replace("eus", "aus"), "9.4", {"aus-9.4"}),
            (EUS_REPO.format(enabled=1).replace("eus", "tus"), "8.6", {"tus-8.6"}),
            ("[rhel-7-server-els-rpms]\nbaseurl=https://cdn/content/els/rhel/server/7/$basearch/os\n", "7.9", {"els"}),
            ("[mirror]\nbaseurl=https://mirror.example.org/content/eus/rhel9/9.4/x86_64/os\n", "9.5", {"eus-9.4"}),
            ("[rhel-9-for-x86_64-baseos-rpms]\nbaseurl=https://cdn/content/dist/rhel9/9/x86_64/os\n", "9.4", set()),
            ("not ini", "9.4", set()),
        ):
            self.assertEqual(self.tracks("rhel-9", {REDHAT: content}, version), expected, content)

    def test_pin(self) -> None:
        """A host that is pinned to a minor release is on its extended support."""
        for path, content, expected in (
            ("etc/dnf/vars/releasever", "9.4\n", {"eus-9.4"}),
            ("etc/yum/vars/releasever", "8.6", {"eus-8.6"}),
            ("var/lib/rhsm/cache/releasever.json", '{"releaseVer": "9.2", "expires_on": null}', {"eus-9.2"}),
            ("var/lib/rhsm/cache/releasever.json", '{"releaseVer": null}', set()),
            ("var/lib/rhsm/cache/releasever.json", "{", set()),
            ("etc/dnf/vars/releasever", "9\n", set()),
        ):
            self.assertEqual(self.tracks("rhel-9", {path: content}, "9.5"), expected, (path, content))
        files = {"etc/dnf/vars/releasever": "9.4", REDHAT: EUS_REPO.format(enabled=1).replace("eus", "e4s")}
        self.assertEqual(self.tracks("rhel-9", files, "9.5"), {"eus-9.4", "e4s-9.4"})

    def test_dist_tag(self) -> None:
        """The dist tag of an installed build is no sign: the main line has it too."""
        package = Package("curl", "0:7.76.1-29.el9_4", "x86_64", "curl", "7.76.1-29.el9_4")
        self.assertEqual(self.tracks("rhel-9", {}, "9.4", package), set())


class SuseTests(TracksCase):
    """The installed products of SUSE, by the published form of their files."""

    def test_products(self) -> None:
        """Each product is a track; the server itself and its modules are the main line."""
        for name, expected in (
            ("SLES", set()),
            ("sle-module-basesystem", set()),
            ("SLES-LTSS", {"ltss"}),
            ("SLE_HPC-LTSS", {"ltss"}),
            ("SLES_SAP", {"sap"}),
            ("sle-ha", {"ha"}),
            ("sle-we", {"we"}),
            ("SLED", {"desktop"}),
            ("sle-module-live-patching", {"live-patching"}),
            ("SLE_HPC", {"hpc"}),
            ("SLE_HPC-ESPOS", {"espos"}),
            ("SLES_TERADATA", {"teradata"}),
        ):
            content = f'<?xml version="1.0"?>\n<product schemeversion="0">\n  <name>{name}</name>\n</product>\n'
            self.assertEqual(self.tracks("sles-15.4", {f"etc/products.d/{name}.prod": content}), expected, name)
        self.assertEqual(self.tracks("sles-15.4", {"etc/products.d/x.prod": "<name>"}), set())
