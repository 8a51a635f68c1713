"""Tests for :mod:`patches.service.lifecycle.missing_parts`: the scanner runs alone, and what is missing is named."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.service.lifecycle.missing_parts import MODULES, import_part, missing_part
from tests.integration.daemons import Daemon
from tests.integration.loopback import URL_HOST
from tests.integration.sample_host import write_host
from tests.integration.sample_lists import made_up, write_list

#: Runs a program in whose process the modules of the extras cannot be imported.
_ALONE = f"""
import sys
class Refusing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {sorted(MODULES)}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Refusing())
program = sys.argv[1]
sys.argv[:2] = [program]
if program == "twistd":
    from twisted.scripts.twistd import run
    run()
else:
    from patches.cli.entry import main
    main()
"""


def alone(*words: str) -> subprocess.CompletedProcess[str]:
    """Run a program as where only the scanner is installed."""
    command = [sys.executable, "-c", _ALONE, *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


class MissingPartTests(SynchronousTestCase):
    """The line about a part that is not installed."""

    def test_other_errors(self) -> None:
        """A module that no extra installs is missing for another reason."""
        self.assertIsNone(missing_part(ModuleNotFoundError("no", name="patches.nothing"), "patches scan", "all"))
        self.assertRaises(ModuleNotFoundError, import_part, "patches.nothing", "patches scan", "all")

    def test_named(self) -> None:
        """The line names the program, the module and the remedy."""
        line = missing_part(ModuleNotFoundError("no", name="klein.app"), "twistd patches-server", "server")
        said = "twistd patches-server needs a part that is not installed (klein): pip install '.[server]'"
        self.assertEqual(line, f"{said} in the folder of Patches")


class ScannerAloneTests(SynchronousTestCase):
    """Programs where only the scanner is installed."""

    def assert_line(self, ran: subprocess.CompletedProcess[str], program: str, extra: str) -> None:
        """Check that a program has ended with one line."""
        self.assertNotEqual(ran.returncode, 0)
        self.assertRegex(ran.stderr, rf"\AError: {program} needs a part .*: pip install '\.\[{extra}\]' .*\n\Z")

    def test_commands(self) -> None:
        """Commands of other parts end with one line; the list of commands is shown."""
        self.assertEqual(alone("patches", "--help").returncode, 0)
        self.assert_line(alone("patches", "catalogue", "list"), "patches catalogue", "server")
        self.assert_line(alone("patches", "demo"), "patches demo", "all")

    def test_daemons(self) -> None:
        """All plugins are listed; the scanner has its help, and the others end with one line."""
        listed = alone("twistd", "--help")
        self.assertEqual(listed.returncode, 0, listed.stderr)
        for name in ("patches-server", "patches-scanner", "patches-reporter"):
            self.assertIn(name, listed.stdout)
        scanner = alone("twistd", "patches-scanner", "--help")
        self.assertEqual((scanner.returncode, scanner.stderr), (0, ""))
        self.assert_line(alone("twistd", "patches-server", "--help"), "twistd patches-server", "server")
        self.assert_line(alone("twistd", "patches-reporter", "--help"), "twistd patches-reporter", "reporter")

    def test_standalone(self) -> None:
        """A scan that reads its list itself ends with one line."""
        listed = Path(self.mktemp())
        listed.write_text("")
        words = "--list", str(listed), "--quiet", "--cache", self.mktemp(), "--platform", "debian-12"
        self.assert_line(alone("patches", "scan", *words), "patches scan", "standalone")

    def test_scan(self) -> None:
        """A scan that asks a server needs no other part: nobody answers here."""
        words = "--patches-server", "http://127.0.0.1:9", "--patience", "1s", "--platform", "debian-12", "--root", "/"
        ran = alone("patches", "scan", *words, "--format", "json")
        self.assertEqual(ran.returncode, 3, ran.stderr)
        self.assertIn("connection refused", ran.stdout)
        self.assertNotIn("Traceback", ran.stderr)

    def test_scan_of_a_server(self) -> None:
        """A scan and an explanation, from the list of a server, need no other part: the whole list is compared."""
        folder = Path(self.mktemp())
        folder.mkdir()
        lists = write_list(folder / "list.ndjson", 50)
        server = Daemon("patches-server", folder / "server", "--list", str(lists)).start()
        self.addCleanup(server.stop)
        server.wait_until_ready()
        (package,), cve = made_up(1, "debian-12").fixed_in, made_up(1, "debian-12").name
        root = write_host(folder / "host", "debian", "12", {package.name: "0.1", "bash": "5.2"})
        access = "--patches-server", f"http://{URL_HOST}:{server.port}", "--root", str(root), "--patience", "20s"
        ran = alone("patches", "scan", *access, "--format", "json", "--fail-on", "negligible")
        told = json.loads(ran.stdout)
        found = [each["names"][0] for each in told["findings"]]
        self.assertEqual((ran.returncode, told["verdict"], found), (1, "findings", [cve]), ran.stderr)
        self.assertNotIn("Traceback", ran.stderr)
        explained = alone("patches", "explain", cve, *access)
        self.assertNotIn("Traceback", explained.stderr)
        self.assertIn(package.name, explained.stdout, explained.stderr)
