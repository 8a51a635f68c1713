"""What a scanner needs: neither a database nor an HTTP server, and nothing of the other programs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import patches

ROOT = Path(patches.__file__).parent
FOREIGN = ("sqlalchemy", "klein", "patches.server", "patches.reporter", "patches.sources")


def imported(module: Path) -> Iterator[str]:
    """Give the names of the modules that a module imports, at whatever depth it does."""
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


class ImportTests(SynchronousTestCase):
    """The scanner, the version orders and the values."""

    def test_nothing_foreign(self) -> None:
        """None of them imports what only the other programs have."""
        modules = [*ROOT.glob("*.py"), *ROOT.glob("scanner/**/*.py"), *ROOT.glob("versions/*.py")]
        modules = [module for module in modules if module.name != "console.py"]
        found = {
            (module.relative_to(ROOT).as_posix(), name)
            for module in modules
            for name in imported(module)
            if any(name == foreign or name.startswith(foreign + ".") for foreign in FOREIGN)
        }
        self.assertEqual(found, set())
        self.assertGreater(len(modules), 10)
