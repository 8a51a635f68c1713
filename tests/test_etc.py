"""The sample configuration in ``etc/`` agrees with the options of the programs."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from inspect import signature
from pathlib import Path
from typing import Any
from unittest import SkipTest

from attrs import asdict
from twisted.trial.unittest import SynchronousTestCase

from patches.http.bounded_site import BoundedSite
from patches.reporter import service as reporter
from patches.scanner import options as scanner
from patches.server import options as server
from patches.server.http.channel import SEND_BUFFER_BYTES
from patches.setting_parsers import size
from patches.settings import resolve, settings_of

ETC = Path(__file__).resolve().parents[1] / "etc"
PROGRAMS: dict[str, type[Any]] = {
    "patches-server": server.ServerSettings,
    "patches-scanner": scanner.ScannerSettings,
    "patches-reporter": reporter.ReporterSettings,
}
#: An option that is commented out: it has no default.
_COMMENTED = re.compile(r"^#([a-z-]+ = .+)$", re.MULTILINE)


def leaves(settings: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the values of settings, those of groups included, by the name of their fields."""
    for name, value in settings.items():
        if isinstance(value, dict) and name not in ("source", "ecosystem"):
            yield from leaves(value)
        else:
            yield name, value


def directives(path: Path, name: str) -> list[str]:
    """Return the values of a directive in a systemd unit."""
    return re.findall(rf"^{name}=(.*)$", path.read_text(), re.MULTILINE)


class TomlTests(SynchronousTestCase):
    """The samples of configuration files."""

    def samples(self) -> Iterator[tuple[Path, type[Any]]]:
        for program, declared in PROGRAMS.items():
            yield ETC / f"{program}.toml", declared

    def test_options(self) -> None:
        """Each lists every option, in the order of the tables; those without a default are commented out."""
        for path, declared in self.samples():
            settings = settings_of(declared)
            text = path.read_text()
            listed = list(tomllib.loads(_COMMENTED.sub(r"\1", text)))
            self.assertEqual(listed, [setting.name for setting in settings if not setting.is_table], path)
            commented = {line.partition(" ")[0] for line in _COMMENTED.findall(text)}
            without = {setting.name for setting in settings if setting.default is None and not setting.is_table}
            self.assertEqual(commented, without, path)
            for setting in settings:
                self.assertEqual(f"\n# [{setting.name}." in text, setting.is_table, setting.name)

    def test_defaults(self) -> None:
        """Each shows the default of each option."""
        for path, declared in self.samples():
            self.assertEqual(resolve(declared, {"config": str(path)}), declared(), path)

    def test_commented(self) -> None:
        """The commented-out lines are valid as they are."""
        for path, declared in self.samples():
            whole = Path(self.mktemp())
            text = _COMMENTED.sub(r"\1", path.read_text())
            head, *tables = re.split(r"^(?=# \[)", text, maxsplit=1, flags=re.MULTILINE)
            whole.write_text(head + re.sub(r"^# +", "", "".join(tables), flags=re.MULTILINE))
            settings = asdict(resolve(declared, {"config": str(whole)}))
            self.assertEqual([name for name, value in leaves(settings) if value in (None, {})], [], path)


class UnitTests(SynchronousTestCase):
    """The systemd units."""

    def test_commands(self) -> None:
        """Each starts its program in the foreground; the scanner finds its file by itself."""
        for program in PROGRAMS:
            (command,) = directives(ETC / f"{program}.service", "ExecStart")
            named = [] if program == "patches-scanner" else ["--config", f"/etc/patches/{program}.toml"]
            options = ["--nodaemon", "--pidfile=", program, *named]
            self.assertEqual(shlex.split(command), ["/opt/patches/bin/twistd", *options])

    def test_state_folders(self) -> None:
        """The folder that each unit may write to is its program's default."""
        for program, declared in PROGRAMS.items():
            (folder,) = directives(ETC / f"{program}.service", "StateDirectory")
            (setting,) = (each for each in settings_of(declared) if each.name == "state-dir")
            self.assertEqual(str(Path("/var/lib") / folder), setting.default)

    def test_memory(self) -> None:
        """The server's ``MemoryMax`` has room for its limit, and for the socket buffers of a full cohort."""
        (most,) = directives(ETC / "patches-server.service", "MemoryMax")
        settings = server.ServerSettings()
        buffers = settings.sessions.max_active * 2 * SEND_BUFFER_BYTES
        self.assertGreaterEqual(size(f"{most}iB"), settings.memory_limit + buffers)
        for program in PROGRAMS:
            self.assertEqual(directives(ETC / f"{program}.service", "Environment"), ["MALLOC_ARENA_MAX=2"])

    def test_several_servers(self) -> None:
        """The key that the server is configured to read is the one that its unit provides."""
        pages = ETC.parent / "docs/howto"
        (credential,) = directives(pages / "several-servers.conf", "LoadCredential")
        (environment,) = directives(pages / "several-servers.conf", "EnvironmentFile")
        settings = resolve(server.ServerSettings, {"config": str(pages / "several-servers.toml")})
        name, _, source = credential.partition(":")
        self.assertEqual(settings.sessions.session_key_file, Path("/run/credentials/patches-server.service") / name)
        for path in (source, environment):
            self.assertIn(path, (pages / "several-server.sh").read_text())

    def test_systemd(self) -> None:
        """systemd knows every directive."""
        if shutil.which("systemd-analyze") is None:
            raise SkipTest("systemd-analyze is not installed")
        for program in PROGRAMS:
            ran = subprocess.run(
                ["systemd-analyze", "verify", "--man=no", str(ETC / f"{program}.service")],
                capture_output=True,
                text=True,
                timeout=60,
            )
            said = [line for line in ran.stderr.splitlines() if program in line]
            self.assertEqual([line for line in said if "twistd is not executable" not in line], [])


class YamlTests(SynchronousTestCase):
    """The samples for other programs."""

    def test_parse(self) -> None:
        """They are YAML."""
        try:
            import yaml
        except ImportError:
            raise SkipTest("PyYAML is not installed") from None
        found = [*ETC.glob("*.yml"), *ETC.glob("*.yaml")]
        self.assertGreater(len(found), 2)
        for path in found:
            self.assertIsInstance(yaml.safe_load(path.read_text()), dict, path)

    def test_alerts(self) -> None:
        """Alerts use documented metrics, each with its labels."""
        documented = (ETC.parent / "docs/reference/metrics.rst").read_text()
        names = set(re.findall(r"\bpatches_\w+", (ETC / "alerts.yml").read_text()))
        self.assertTrue(names)
        for name in names:
            self.assertIn(f"``{name}``", documented)


class ProxyTests(SynchronousTestCase):
    """The samples for proxies."""

    def test_time_outs(self) -> None:
        """A proxy waits longer than the longest poll, and closes idle connections before the daemons do."""
        nginx, haproxy = (ETC / "nginx.conf").read_text(), (ETC / "haproxy.cfg").read_text()
        waits = re.findall(r"(?:proxy_read_timeout|timeout server) (\d+)s", nginx + haproxy)
        self.assertEqual(len(waits), 2)
        self.assertGreater(min(map(int, waits)), 30)
        idle = re.findall(r"(?:keepalive_timeout|timeout http-keep-alive) (\d+)s", nginx + haproxy)
        closes = signature(BoundedSite).parameters["idle_seconds"].default
        self.assertLess(max(map(int, idle)), closes)

    def test_nginx(self) -> None:
        """nginx accepts its sample, except for the certificates."""
        nginx = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
        if nginx is None:
            raise SkipTest("nginx is not installed")
        folder = Path(self.mktemp()).resolve()
        folder.mkdir()
        sample = (ETC / "nginx.conf").read_text().replace("listen 443 ssl", "listen 127.0.0.1:8443")
        (folder / "sample.conf").write_text(re.sub(r"(?m)^ *ssl_.*$", "", sample))
        paths = "".join(f"{kind}_temp_path {folder}/{kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi"))
        (folder / "nginx.conf").write_text(
            f"pid {folder}/pid; error_log {folder}/error.log; events {{}}\n"
            f"http {{ {paths} scgi_temp_path {folder}/scgi; access_log off; include {folder}/sample.conf; }}\n"
        )
        command = [nginx, "-t", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.assertEqual(ran.returncode, 0, ran.stderr)
