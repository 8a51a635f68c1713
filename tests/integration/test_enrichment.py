"""Enriching sources, from their files to the exit code of a scan: a real server, and real scans of hosts."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.daemons import PATCHES, Daemon, wait_for
from tests.integration.loopback import URL_HOST
from tests.integration.sample_host import write_host
from tests.shared_data import shared
from tests.sources.nvd.test_parser import ANALYSTS, HIGH, cve, document, metric

#: Fixed in versions that the host has not: rated by NVD, known to be exploited, likely to be, and nothing known.
RATED, EXPLOITED, LIKELY, BARE = (f"CVE-2024-000{number}" for number in range(1, 5))
SECDB = {
    "packages": [
        {"pkg": {"name": "busybox", "secfixes": {"2.0-r0": [RATED, BARE]}}},
        {"pkg": {"name": "openssl", "secfixes": {"4.0-r0": [EXPLOITED, LIKELY]}}},
    ]
}
APK = "P:{}\nV:1.0-r0\nA:x86_64\no:{}\n\n"


class Site:
    """
    A server with sources in a folder, and scans of a host with its lists.

    :param sections: the configuration of the sources.
    """

    def __init__(self, folder: Path, *sections: str) -> None:
        config = folder / "server.toml"
        config.write_text("".join(sections))
        self.server = Daemon("patches-server", folder / "server", "--config", str(config)).start()

    def wait_for(self, platform: str, *enrichments: str) -> None:
        """Wait until the list of a platform was made with these facts."""
        wait_for(lambda: self._enrichments(platform) == list(enrichments), 60)

    def _enrichments(self, platform: str) -> list[str] | None:
        found = [each for each in self.server.ask("/v1/platforms")[1]["platforms"] if each["platform"] == platform]
        return found[0].get("enrichments") if found else None

    def scan(self, root: Path, *options: str) -> subprocess.CompletedProcess[str]:
        """Scan a host, with a JSON document."""
        url = f"http://{URL_HOST}:{self.server.port}"
        command = [str(PATCHES), "scan", "--patches-server", url, "--root", str(root), "--format", "json", *options]
        return subprocess.run(command, capture_output=True, text=True, timeout=120)

    def code(self, root: Path, *options: str) -> int:
        """Return the exit code of a scan."""
        return self.scan(root, *options).returncode


def section(name: str, kind: str, path: Path) -> str:
    """Return the configuration of a source."""
    return f'[source.{name}]\nkind = "{kind}"\npath = "{path}"\n'


def write_alpine(root: Path) -> Path:
    """Write a host with two packages."""
    (root / "lib/apk/db").mkdir(parents=True)
    (root / "etc").mkdir()
    (root / "etc/os-release").write_text("ID=alpine\nVERSION_ID=3.20.1\n")
    installed = "".join(APK.format(name, name) for name in ("busybox", "openssl"))
    (root / "lib/apk/db/installed").write_text(installed)
    return root


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Write the files of all sources."""
    (tmp_path / "secdb/v3.20").mkdir(parents=True)
    (tmp_path / "secdb/v3.20/main.json").write_text(json.dumps({**SECDB, "distroversion": "v3.20", "reponame": "main"}))
    (tmp_path / "secdb/v3.20/community.json").write_text(json.dumps({"packages": [], "distroversion": "v3.20"}))
    (tmp_path / "nvd.json").write_bytes(document(cve(RATED, v31=[metric(ANALYSTS, HIGH, 7.8, "Primary")])))
    entries = [{"cveID": EXPLOITED, "dateAdded": "2024-05-01"}]
    (tmp_path / "kev.json").write_text(json.dumps({"count": 1, "vulnerabilities": entries}))
    (tmp_path / "epss.csv").write_text(f"#x\ncve,epss,percentile\n{LIKELY},0.8,0.95\n{RATED},0.1,0.5\n")
    return tmp_path


@pytest.fixture
def sites() -> Iterator[list[Site]]:
    """Stop the servers that a test has started."""
    started: list[Site] = []
    yield started
    for site in started:
        site.server.stop()


def test_exit_codes(files: Path, sites: list[Site]) -> None:
    """Severities, KEV and EPSS determine the exit code, each finding has what is known of it, and who has said so."""
    enriching = [section(kind, kind, next(files.glob(f"{kind}.*"))) for kind in ("nvd", "kev", "epss")]
    site = Site(files, section("secdb", "secdb", files / "secdb"), *enriching)
    sites.append(site)
    site.wait_for("alpine-3.20", "cvss", "epss", "kev")
    root = write_alpine(files / "host")
    codes = {text: site.code(root, "--fail-on", text) for text in ("high", "critical", "kev", "epss=0.9", "never")}
    assert codes == {"high": 1, "critical": 1, "kev": 1, "epss=0.9": 1, "never": 0}
    allowed = {text: site.code(root, "--fail-on", text, "--allow-unknown-severity") for text in ("high", "critical")}
    assert allowed == {"high": 1, "critical": 0}
    ran = site.scan(root, "--fail-on", "high")
    assert "3 findings of unknown severity: counted for --fail-on high" in ran.stderr
    found = {each["flaw"]: each for each in json.loads(ran.stdout)["findings"]}
    assert (found[RATED]["severity"], found[RATED]["severitySource"], found[RATED]["cvssScore"]) == ("high", "nvd", 7.8)
    assert (found[EXPLOITED]["kev"], found[LIKELY]["epss"], found[RATED]["epss"]) == ("2024-05-01", 0.9, 0.5)
    assert (found[BARE]["severity"], found[BARE]["severitySource"], found[BARE]["kev"]) == ("unknown", None, None)


def test_without(files: Path, sites: list[Site]) -> None:
    """A list without KEV or EPSS ends a scan that asks for them with code 2 and the reason; the document is whole."""
    site = Site(files, section("secdb", "secdb", files / "secdb"), section("kev", "kev", files / "kev.json"))
    sites.append(site)
    site.wait_for("alpine-3.20", "kev")
    root = write_alpine(files / "host")
    ran = site.scan(root, "--fail-on", "high,epss=0.9", "--quiet")
    assert ran.returncode == 2
    assert "the list of alpine-3.20 was made without EPSS" in ran.stderr
    assert len(json.loads(ran.stdout)["findings"]) == 4
    assert site.code(root, "--fail-on", "kev") == 1


def test_real_hosts(tmp_path: Path, sites: list[Site]) -> None:
    """Hosts of Debian and Alpine, with published lists of NVD, KEV and EPSS."""
    data = [shared("data/nvd/full-page.json"), shared("data/kev/known_exploited_vulnerabilities.json")]
    epss, secdb, osv = (shared(f"data/{each}") for each in ("epss/example-1.csv", "alpine-secdb", "osv/Debian/all.zip"))
    (tmp_path / "secdb/v3.14").mkdir(parents=True)
    for name in ("main.json", "community.json"):
        (tmp_path / "secdb/v3.14" / name).write_bytes((secdb / "v3.14" / name).read_bytes())
    enriching = section("nvd", "nvd", data[0]), section("kev", "kev", data[1]), section("epss", "epss", epss)
    sources = section("secdb", "secdb", tmp_path / "secdb"), section("osv", "osv", osv)
    site = Site(tmp_path, 'platforms = ["debian-11", "alpine-3.14"]\n', *sources, *enriching)
    sites.append(site)
    for platform in ("debian-11", "alpine-3.14"):
        site.wait_for(platform, "cvss", "epss", "kev")
        for host in sorted(path for path in shared(f"data/hosts/{platform}").iterdir() if path.is_dir()):
            plain = site.scan(host, "--fail-on", "high", "--platform", platform)
            found = json.loads(plain.stdout)["findings"]
            unknown = sum(each["severity"] == "unknown" for each in found)
            expected = any(each["severity"] in ("unknown", "high", "critical") for each in found)
            assert plain.returncode == int(expected)
            assert (f"{unknown} finding" in plain.stderr) == bool(unknown)
            kev = any(each["kev"] for each in found)
            assert site.code(host, "--fail-on", "kev", "--platform", platform) == int(kev)
            likely = any((each["epss"] or 0) >= 0.9 for each in found)
            assert site.code(host, "--fail-on", "epss=0.9", "--platform", platform) == int(likely)


def test_debian(files: Path, sites: list[Site]) -> None:
    """Debian's own ratings stand, negligible ones too; NVD fills the others."""

    def release(urgency: str) -> dict[str, object]:
        return {"releases": {"bookworm": {"status": "resolved", "fixed_version": "2-1", "urgency": urgency}}}

    tracker = {"sudo": {RATED: release("unimportant"), EXPLOITED: release("not yet assigned")}}
    (files / "tracker.json").write_text(json.dumps(tracker))
    entries = [cve(name, v31=[metric(ANALYSTS, HIGH, 7.8, "Primary")]) for name in (RATED, EXPLOITED)]
    (files / "nvd.json").write_bytes(document(*entries))
    tracked = section("debian", "debian-tracker", files / "tracker.json")
    site = Site(files, tracked, section("nvd", "nvd", files / "nvd.json"))
    sites.append(site)
    site.wait_for("debian-12", "cvss")
    root = write_host(files / "host", "debian", "12", {"sudo": "1-1"})
    found = {each["flaw"]: each for each in json.loads(site.scan(root).stdout)["findings"]}
    told = {name: (each["severity"], each["severitySource"], each["cvssScore"]) for name, each in found.items()}
    assert told == {RATED: ("negligible", "debian", 7.8), EXPLOITED: ("high", "nvd", 7.8)}
