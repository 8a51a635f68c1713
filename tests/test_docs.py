"""The documentation is correct: its commands run, its files parse, and its tables contain the names in the code."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from html import unescape
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import SkipTest
from urllib.request import urlopen
from xml.etree import ElementTree

from click import Context
from twisted.trial.unittest import SynchronousTestCase

from patches.cli.main import main
from patches.reporter import api as reporter_api
from patches.reporter import service as reporter
from patches.scanner import options as scanner
from patches.scanner import service as scanner_service
from patches.scanner.doctor import doctor_options
from patches.scanner.lists import list_options
from patches.scanner.matching.ignore_files import read_ignores
from patches.scanner.matching.vex.cyclonedx import JUSTIFIED
from patches.scanner.output.document import outcome_document
from patches.scanner.output.formats import FORMATS
from patches.scanner.simulation import simulate_command
from patches.server import budget
from patches.server import options as server
from patches.server.admin import options as catalogue_options
from patches.server.http import api as server_api
from patches.settings import resolve, settings_of
from patches.sources.clair.namespaces import NAMESPACES
from patches.sources.config import SourceConfig
from patches.sources.ecosystem_config import EcosystemConfig
from patches.sources.osv.ecosystems import with_configured
from patches.sources.public import PUBLIC
from patches.sources.registry import KINDS
from patches.vulnerability import STATUSES
from patches.wire import decode_lines
from tests import processes
from tests.docs_extensions import import_extension
from tests.integration.daemons import wait_for
from tests.scanner.sample_outcomes import outcome

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
BIN = Path(sys.executable).parent
OPTIONS = {
    "patches-server": server.Options,
    "patches-scanner": scanner_service.Options,
    "patches-reporter": reporter.Options,
}
TABLES = {
    "patches.server.options ServerSettings": server.ServerSettings,
    "patches.scanner.options ScannerSettings": scanner.ScannerSettings,
    "patches.scanner.options ScanSettings": scanner.ScanSettings,
    "patches.scanner.options OutputSettings": scanner.OutputSettings,
    "patches.scanner.options ExplainSettings": scanner.ExplainSettings,
    "patches.scanner.doctor.doctor_options DoctorSettings": doctor_options.DoctorSettings,
    "patches.scanner.lists.list_options ListUpdateSettings": list_options.ListUpdateSettings,
    "patches.scanner.lists.list_options ListStatusSettings": list_options.ListStatusSettings,
    "patches.scanner.lists.list_options ListShowSettings": list_options.ListShowSettings,
    "patches.scanner.simulation.simulate_command SimulateSettings": simulate_command.SimulateSettings,
    "patches.server.admin.options ShowSettings": catalogue_options.ShowSettings,
    "patches.server.admin.options PruneSettings": catalogue_options.PruneSettings,
    "patches.server.admin.options ExportSettings": catalogue_options.ExportSettings,
    "patches.server.admin.options ImportSettings": catalogue_options.ImportSettings,
    "patches.reporter.service ReporterSettings": reporter.ReporterSettings,
}
_LISTENS = re.compile(r"listens on (127\.0\.0\.1:\d+)")


def page(name: str) -> str:
    """Return the text of a page."""
    return (DOCS / f"{name}.rst").read_text()


def scripts() -> list[Path]:
    """Return every file of commands in the documentation."""
    return sorted(DOCS.glob("*/*.sh"))


def commands() -> list[list[str]]:
    """Return every command of Patches in README and documentation, split into words."""
    lines = [line for path in scripts() for line in path.read_text().splitlines()]
    lines += [line.strip() for line in (ROOT / "README.rst").read_text().splitlines() if line.startswith("    .venv/")]
    return [shlex.split(line) for line in lines if line.startswith(".venv/bin/")]


def tables() -> ModuleType:
    """Import the module that generates the tables of the documentation; it needs no Sphinx."""
    return import_extension("tables")


class CommandTests(SynchronousTestCase):
    """Commands and files in the documentation."""

    def test_daemons(self) -> None:
        """Every command that starts a daemon has valid options."""
        seen = set()
        for words in commands():
            if words[0] == ".venv/bin/twistd":
                self.assertEqual(words[1:3], ["--nodaemon", "--pidfile="])
                OPTIONS[words[3]]().parseOptions(words[4:])
                seen.add(words[3])
        self.assertEqual(seen, set(OPTIONS))

    def test_console(self) -> None:
        """Every ``patches`` command has valid options."""
        given = [words for words in commands() if words[0] == ".venv/bin/patches"]
        self.assertGreaterEqual(len(given), 3)
        for words in given:
            command = main.get_command(Context(main), words[1])
            assert command is not None
            command.make_context(words[1], words[2:], help_option_names=["-h", "--help"])

    def test_shell(self) -> None:
        """Every script is executable and shown, and its files in the checkout exist."""
        self.assertGreater(len(scripts()), 9)
        for path in scripts():
            ran = subprocess.run(["sh", "-n", str(path)], capture_output=True, timeout=10)
            self.assertEqual(ran.returncode, 0, path)
            for name in re.findall(r"(?<![\w/.-])(?:etc|patches)/[\w/.-]+", path.read_text()):
                self.assertTrue((ROOT / name).exists(), name)

    def test_shown(self) -> None:
        """Every file beside the pages is shown by a page, and every file that a page shows exists."""
        shown = set()
        for source in DOCS.glob("*/*.rst"):
            told = re.findall(r"^\.\. (?:literalinclude|include|figure):: (\S+)", source.read_text(), re.MULTILINE)
            for name in told:
                path = (source.parent / name).resolve()
                self.assertTrue(path.is_file(), path)
                shown.add(path)
        beside = {path for path in DOCS.glob("*/*") if path.suffix not in (".rst", ".py", ".pyc") and path.is_file()}
        beside.discard(DOCS / "_static/patches.css")  # the theme's
        self.assertEqual({path for path in beside if "_build" not in path.parts} - shown, set())

    def test_configuration(self) -> None:
        """Every piece of configuration is valid for a program."""
        found = set(DOCS.glob("*/*.toml")) - set(DOCS.glob("*/ignore*.toml"))
        self.assertGreater(len(found), 3)
        for path in found:
            declared = scanner.ScannerSettings if "scanner" in path.name else server.ServerSettings
            self.assertTrue(resolve(declared, {"config": str(path)}))
            self.assertTrue(tomllib.loads(path.read_text()))

    def test_decisions(self) -> None:
        """Every file of decisions is valid for a scan."""
        for name, count in (("", 2), ("-vex", 1), ("-csaf", 1), ("-cyclonedx", 1)):
            (path,) = (DOCS / "howto").glob(f"ignore{name}.[jt]*")
            decisions = read_ignores(path).decisions
            self.assertEqual(len(decisions), count)
            if name:
                words = decisions[0].vulnerability_id, decisions[0].status, decisions[0].justification
                justified = "vulnerable_code_cannot_be_controlled_by_adversary"
                self.assertEqual(words, ("CVE-2024-45490", "not_affected", justified))

    def test_words_of_vex(self) -> None:
        """The table of CycloneDX's words has each of them, beside the one that it is converted to."""
        rows = re.findall(r"\* - (``.*)\n     - (``\w+``)\n", page("howto/ignore"))
        told = {word: vex.strip("`") for words, vex in rows for word in re.findall(r"``(\w+)``", words)}
        self.assertEqual({**told, **JUSTIFIED}, told)

    def test_list(self) -> None:
        """The list that is shown can be read."""
        records = list(decode_lines((DOCS / "howto/list.ndjson").read_bytes()))
        self.assertEqual([record.fixed_in[0].kind for record in records], ["source", "binary", "source"])
        self.assertIsNone(records[2].fixed_in[0].version)

    def test_json(self) -> None:
        """Every block of JSON is valid."""
        shown = 0
        for source in DOCS.glob("*/*.rst"):
            for block in re.findall(r"\.\. code-block:: json\n\n((?:(?: +.*)?\n)+)", source.read_text()):
                json.loads(block)
                shown += 1
        self.assertGreater(shown, 5)

    def test_links(self) -> None:
        """Every file that README links to is there."""
        names = re.findall(r"<((?:docs/|CON)[^>]+)>", (ROOT / "README.rst").read_text())
        self.assertTrue(names)
        for name in names:
            self.assertTrue((ROOT / name).is_file(), name)

    def test_contributing(self) -> None:
        """Every path and target that CONTRIBUTING names is there."""
        text = (ROOT / "CONTRIBUTING.rst").read_text()
        paths = re.findall(r"``((?:patches|tests|docs|etc|benchmarks|changelog\.d|\.ci)\b[\w/.-]*)``", text)
        self.assertGreater(len(paths), 20)
        for name in paths:
            self.assertTrue((ROOT / name).exists(), name)
        targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
        self.assertLessEqual(set(re.findall(r"``[^`]*make ([\w-]+)``", text)), targets)

    def test_drawing(self) -> None:
        """The drawing of the window is whole XML, and has a title."""
        root = ElementTree.parse(DOCS / "explanation/window.svg").getroot()
        self.assertEqual(root[0].text, "The sliding cache window")


class ReferenceTests(SynchronousTestCase):
    """Reference pages against the code."""

    def test_options(self) -> None:
        """Every setting of every program is in a table on the page."""
        text = page("reference/options")
        for arguments, declared in TABLES.items():
            self.assertIn(f".. settings-of:: {arguments}\n", text)
            table = tables().settings_table(declared)
            for setting in settings_of(declared):
                self.assertIn(f"``--{setting.name}``", table)
                self.assertIn(setting.help, table)
                self.assertIn(f"``{setting.default}``" if setting.default is not None else "none", table)

    def test_sources(self) -> None:
        """Every kind of source is described, and the table of public feeds is made from the code."""
        for kind in KINDS:
            self.assertIn(f"   * - ``{kind}``\n", page("reference/sources"), kind)
        self.assertIn(".. public-sources::\n", page("reference/sources"))
        for name, config in PUBLIC.items():
            self.assertIn(f"``{name}``", tables().public_table())
            self.assertIn(config.kind, KINDS)
        sample = tomllib.loads((DOCS / "reference/sources-server.toml").read_text())
        for name, section in sample["source"].items():
            self.assertIn(SourceConfig.from_section(name, section).kind, KINDS)
        configured = [EcosystemConfig.from_section(name, section) for name, section in sample["ecosystem"].items()]
        self.assertEqual([with_configured([each]).names >= {each.name} for each in configured], [True])

    def test_namespaces(self) -> None:
        """Every namespace is in the table."""
        self.assertIn(".. clair-namespaces::\n", page("reference/clair"))
        for platform, namespace in NAMESPACES.items():
            self.assertIn(f"``{platform}``\n     - ``{namespace}``", tables().namespaces_table())

    def test_map(self) -> None:
        """Every module is on the map, with the summary of its docstring."""
        package = ROOT / "patches"
        modules = [path.relative_to(package) for path in package.rglob("*.py")]
        named = [path for path in modules if path.name not in ("__init__.py", "env.py")]
        self.assertGreater(len(named), 200)
        for folder in {str(path.parent) for path in named}:
            self.assertIn(f".. modules-of:: {folder}\n", page("reference/map"))
            table = tables().modules_table(folder)
            for path in named:
                if str(path.parent) == folder:
                    self.assertRegex(table, rf"``{re.escape(path.name)}``\n     - \S", str(path))

    def test_routes(self) -> None:
        """Every route is on the page of its API, with its method."""
        for api, name in ((server_api.Api, "reference/http-api"), (reporter_api.Api, "reference/reporter-api")):
            text = page(name)
            self.assertGreater(len(list(api.app.url_map.iter_rules())), 2)
            for rule in api.app.url_map.iter_rules():
                path = rule.rule.replace("<token>", "<session>").replace("<path:vulnerability_id>", "<id>")
                path = path.replace("<number:n>", "<n>")
                for method in rule.methods - {"HEAD"}:
                    self.assertIn(f"``{method} {path}``", text)

    def test_codes(self) -> None:
        """Every error code in the code is on the page."""
        code = "".join(path.read_text() for path in (ROOT / "patches/server").rglob("*.py"))
        code += (ROOT / "patches/http/bounded_request.py").read_text()
        codes = set(re.findall(r'(?:ApiError\(\d+, |Denied\(|\w+, \d{3}, |b"\d{3} [\w ]+", )"([a-z-]+)"', code))
        self.assertGreaterEqual(len(codes), 12)
        for each in codes:
            self.assertIn(f"``{each}``", page("reference/http-api"))

    def test_statuses(self) -> None:
        """Every status of a package is explained or named."""
        for status in STATUSES:
            self.assertIn(f"``{status}``", page("reference/wire-format"))

    def test_formats(self) -> None:
        """Every format is on the page, and every name in the programs' own JSON."""
        text = page("reference/formats")
        for name in FORMATS:
            self.assertIn(f"``{name}``", text)
        for name in names_in(outcome_document(outcome(with_unfixed=True, not_evaluated={}))):
            self.assertIn(f"``{name}``", text)

    def test_budget(self) -> None:
        """The numbers of the budget are those of the code."""
        text = page("howto/memory-limit")
        for number, unit in (
            (budget.SLACK_BYTES, "MiB"),
            (budget.REFRESH_BYTES, "MiB"),
            (budget.CONNECTION_BYTES, "KiB"),
            (budget.SESSION_BYTES, "KiB"),
            (budget.CONNECTION_BYTES + budget.SESSION_BYTES, "KiB"),
        ):
            self.assertIn(f" {number // {'MiB': 2**20, 'KiB': 2**10}[unit]} {unit}", text)

    def test_sphinx(self) -> None:
        """Sphinx builds it without a warning, the generated tables included."""
        if find_spec("sphinx") is None:
            raise SkipTest("Sphinx is not installed")
        built = Path(self.mktemp()).resolve()
        command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
        ran = subprocess.run([*command, str(DOCS), str(built)], capture_output=True, text=True, timeout=300)
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        html = (built / "reference/options.html").read_text()
        for declared in TABLES.values():
            for setting in settings_of(declared):
                self.assertIn(f"--{setting.name}<", html)
        drawn = (built / "explanation/refresh.html").read_text().partition("<article")[2].partition("</article>")[0]
        self.assertIn(">known and empty</text>", drawn)


class TutorialTests(SynchronousTestCase):
    """The tutorial, as a reader plays it; on free ports."""

    def setUp(self) -> None:
        if not (BIN / "patches").exists():
            raise SkipTest("the console commands are not installed")
        self.folder = Path(self.mktemp()).resolve()
        self.folder.mkdir()
        (self.folder / "patches").symlink_to(ROOT / "patches")

    def words(self, name: str) -> list[str]:
        """Return the words of the command in a script, with an absolute program path."""
        words = shlex.split((DOCS / name).read_text())
        return [str(BIN / Path(words[0]).name), *words[1:]]

    def start(self, name: str, folder: str = "", instead: str = "") -> str:
        """
        Start a daemon on any free port; the test stops it. Return its address.

        :param folder: a state folder that is replaced by another one.
        """
        path = self.folder / f"{Path(name).stem}{Path(instead).name}.log"
        with path.open("wb") as log:
            words = [instead if word == folder else word for word in self.words(name)]
            command = [*words, "--listen", "tcp:0:interface=127.0.0.1"]
            process = processes.start(command, cwd=self.folder, stdout=log, stderr=log)
        self.addCleanup(processes.end, process)
        return str(wait_for(lambda: _LISTENS.search(path.read_text()), 30)[1])

    def run_scan(self, server_address: str, reporter_address: str) -> str:
        """Scan as in the tutorial. Return the output."""
        words = [word.replace("127.0.0.1:8090", reporter_address) for word in self.words("tutorial/scan.sh")]
        return self.printed([*words, "--patches-server", f"http://{server_address}"])

    def printed(self, words: list[str]) -> str:
        """Run a scan with findings. Return the output."""
        environment = {**os.environ, "COLUMNS": "100", "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1", "NO_COLOR": "1"}
        ran = subprocess.run(
            words,
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual(ran.returncode, 1, ran.stderr)
        return ran.stdout

    def test_picture(self) -> None:
        """README's picture is of the scan in the tutorial."""
        drawn = unescape(re.sub(r"<[^>]+>|\s", "", (DOCS / "tutorial/scan.svg").read_text()))
        for line in (DOCS / "tutorial/scan.txt").read_text().splitlines():
            self.assertIn(re.sub(r"\s", "", line), re.sub(r"\s", "", drawn))
        self.assertIn(".. image:: docs/tutorial/scan.svg", (ROOT / "README.rst").read_text())

    def test_tutorial(self) -> None:
        """
        The output in the tutorial is the real one, except for times and names of scans; the metrics are those
        documented.
        """
        alone = [*self.words("tutorial/one.sh"), "--cache", str(self.folder / "cache")]
        self.assertEqual(self.printed(alone), (DOCS / "tutorial/scan.txt").read_text())
        address = self.start("tutorial/server.sh")
        reporter_address = self.start("tutorial/reporter.sh")
        wait_for(lambda: json.load(urlopen(f"http://{address}/v1/platforms"))["platforms"], 30)
        wait_for(lambda: ready(address), 30)
        self.assertEqual(self.run_scan(address, reporter_address), (DOCS / "tutorial/scan.txt").read_text())
        with urlopen(f"http://{reporter_address}/v1/hosts") as answer:
            told = json.load(answer)
        shown = json.loads((DOCS / "tutorial/hosts.txt").read_text())
        self.assertEqual(without_times(told), without_times(shown))
        with urlopen(f"http://{address}/metrics") as answer:
            names = set(re.findall(r"^# HELP (\S+)", answer.read().decode(), re.MULTILINE))
        documented = set(re.findall(r"\* - ``(\w+)``", page("reference/metrics")))
        self.assertEqual(names, documented)

    def test_backup(self) -> None:
        """The commands that back up a server and a reporter make what can be restored, while both run."""
        address = self.start("tutorial/server.sh")
        reporter_address = self.start("tutorial/reporter.sh")
        wait_for(lambda: ready(address), 30)
        self.run_scan(address, reporter_address)
        with urlopen(f"http://{reporter_address}/v1/hosts") as answer:
            told = json.load(answer)
        for name in ("backup-server", "backup-reporter", "backup-restore"):
            script = (DOCS / f"howto/{name}.sh").read_text().replace("build/state", "build/tutorial")
            script = script.replace(".venv/bin/patches", str(BIN / "patches"))
            subprocess.run(["sh", "-ec", script], cwd=self.folder, check=True, capture_output=True, timeout=60)
        words = [str(BIN / "patches"), "catalogue", "import", "catalogue.bundle", "--state-dir", "build/new"]
        ran = subprocess.run(words, cwd=self.folder, capture_output=True, text=True, timeout=60)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        other = self.start("tutorial/reporter.sh", "build/tutorial/reporter", "build/tutorial/restored")
        with urlopen(f"http://{other}/v1/hosts") as answer:
            self.assertEqual(json.load(answer), told)

    def test_limit(self) -> None:
        """A memory limit that is too low is refused with the message on the page, except for the number."""
        ran = subprocess.run(self.words("howto/limit.sh"), cwd=self.folder, capture_output=True, text=True, timeout=60)
        self.assertEqual(ran.returncode, 1)
        shown = (DOCS / "howto/limit.txt").read_text()
        self.assertEqual(re.sub(r"\d+MiB or", "nMiB or", ran.stderr), re.sub(r"\d+MiB or", "nMiB or", shown))

    def test_own_list(self) -> None:
        """The list that is shown is served."""
        shutil.copy(DOCS / "howto/list.ndjson", self.folder)
        address = self.start("howto/list-server.sh")
        wait_for(lambda: ready(address), 30)
        with urlopen(f"http://{address}/v1/platforms") as answer:
            (platform,) = json.load(answer)["platforms"]
        self.assertEqual((platform["platform"], platform["vulnerabilities"]), ("debian-10", 3))
        words = [word.replace("127.0.0.1:8080", address) for word in self.words("howto/simulate.sh")]
        ran = subprocess.run(words, cwd=self.folder, capture_output=True, text=True, timeout=60)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertIn("500 scanners of 500 read the whole list of 3 vulnerabilities", ran.stdout)


def names_in(document: Any) -> set[str]:
    """Return the names of all objects in a document."""
    if isinstance(document, dict):
        return set(document).union(*map(names_in, document.values()))
    return set().union(*map(names_in, document)) if isinstance(document, list) else set()


def ready(address: str) -> bool:
    """Return whether a server has published all its lists."""
    try:
        with urlopen(f"http://{address}/ready") as answer:
            return bool(json.load(answer)["ready"])
    except OSError:
        return False


def without_times(hosts: dict[str, Any]) -> dict[str, Any]:
    """Return the reporter's document, without values that differ each time."""
    for host in hosts["hosts"]:
        for name in ("lastScan", "findingsScan"):
            for changing in ("id", "started", "finished", "received"):
                host[name].pop(changing)
    return hosts
