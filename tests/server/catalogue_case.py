"""A case with the state folder of a server, and the console command on it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from twisted.trial.unittest import SynchronousTestCase

from patches.cli.main import main
from patches.server.catalogue.schema import open_database
from patches.server.catalogue.snapshot import Snapshot
from patches.server.catalogue.store import Catalogue
from patches.vulnerability import Vulnerability
from tests.server.fake_catalogue import lines, vulnerabilities

SOURCES = {"made-up": {"read": 10, "skipped": {}, "claimed": 10}}


class CommandCase(SynchronousTestCase):
    """A case with a folder that has an empty catalogue, which stays open as if a server were running."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.catalogue = self.make(self.folder)

    def make(self, folder: Path) -> Catalogue:
        """Create an empty catalogue."""
        folder.mkdir()
        catalogue = Catalogue(open_database(folder / "catalogue.sqlite"))
        self.addCleanup(catalogue.close)
        return catalogue

    def publish(
        self, records: Sequence[Vulnerability] | int = 20, platform: str = "debian-12", now: float = 1000.0
    ) -> Snapshot:
        """Publish a list; a number of records stands for made-up ones."""
        made = vulnerabilities(records, platform) if isinstance(records, int) else records
        return self.catalogue.publish(platform, lines(made), SOURCES, now)

    def run_command(self, name: str, *words: str, folder: Path | None = None) -> Result:
        """Run a command on the folder."""
        words = ("catalogue", name, *words, "--state-dir", str(folder or self.folder))
        return CliRunner().invoke(main, words, env={"COLUMNS": "400"})

    def document(self, name: str, *words: str, code: int = 0) -> Any:
        """Run a command, and return the JSON document that it prints."""
        ran = self.run_command(name, *words, "--format", "json")
        self.assertEqual((ran.exit_code, ran.stderr), (code, ""))
        return json.loads(ran.stdout)

    def refusal(self, code: int, name: str, *words: str, folder: Path | None = None) -> str:
        """Run a command that is refused, and return its one line of error."""
        ran = self.run_command(name, *words, folder=folder)
        self.assertEqual((ran.exit_code, ran.stdout, ran.stderr.count("\n")), (code, "", 1), ran.output)
        return ran.stderr

    def run_keygen(self, path: Path) -> int:
        """Create a pair of keys; return the exit code."""
        return CliRunner().invoke(main, ["catalogue", "keygen", str(path)]).exit_code
