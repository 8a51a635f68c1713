"""Imports point one way, and what is heavy is imported only where it is used."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import patches

ROOT = Path(patches.__file__).parent
PROGRAMS = ("server", "scanner", "reporter")


def modules() -> dict[str, ast.Module]:
    """Give every module of ours, by its path within the package."""
    return {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text("utf-8")) for path in ROOT.rglob("*.py")}


def imports(tree: ast.AST) -> Iterator[str]:
    """Give the full names that a module imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imports_any(tree: ast.AST, *packages: str) -> bool:
    """Tell whether a module imports one of these packages, or something in it."""
    return any(name == package or name.startswith(package + ".") for name in imports(tree) for package in packages)


class LayerTests(SynchronousTestCase):
    """All modules, read but not run."""

    def users(self, *packages: str) -> set[str]:
        """Tell which modules import one of these."""
        return {name for name, tree in modules().items() if imports_any(tree, *packages)}

    def test_programs_are_apart(self) -> None:
        """Server, scanner and reporter never import each other; only the demonstration has all of them."""
        for program in PROGRAMS:
            others = [f"patches.{other}" for other in PROGRAMS if other != program]
            inside = {name for name in self.users(*others) if name.startswith(program + "/")}
            self.assertEqual(inside, set())

    def test_klein(self) -> None:
        """Klein is in the modules of routes alone."""
        self.assertEqual(self.users("klein"), {"server/api.py", "reporter/api.py"})

    def test_treq(self) -> None:
        """treq is where requests are sent: in sources, in the scanner's exchange, and in the demonstration."""
        self.assertEqual(self.users("treq"), {"sources/connections.py", "scanner/exchange.py", "demo/play.py"})

    def test_cyclonedx(self) -> None:
        """The library of one format is where that is made; purls are where packages are named."""
        formats = "scanner/formats/cyclonedx"
        self.assertEqual(self.users("cyclonedx"), {f"{formats}.py", f"{formats}_vulnerabilities.py"})
        purls = {"scanner/purls.py", "scanner/ignores.py", "scanner/vex_files.py"}
        self.assertEqual(self.users("packageurl"), purls)

    def test_sqlalchemy(self) -> None:
        """The database is behind the catalogue and behind the reporter's store."""
        server = {
            f"server/{name}.py"
            for name in (
                "advisory",
                "board",
                "catalogue",
                "catalogue_place",
                "delta_store",
                "database_url",
                "migrating",
                "pruning",
                "refresh_lock",
                "schema",
                "transactions",
            )
        }
        users = {name for name in self.users("sqlalchemy") if not name.startswith("server/migrations/")}
        self.assertEqual(users, {"database.py", "reporter/store.py", "reporter/schema.py"} | server)

    def test_alembic(self) -> None:
        """Migrations are loaded only to migrate: a server on a catalogue that is up to date saves their memory."""
        self.assertEqual({name for name in self.users("alembic") if "migrations/" not in name}, {"server/migrating.py"})
        code = (
            "import sys, pathlib, patches.server.schema as schema\n"
            "schema.open_database(pathlib.Path(sys.argv[1])); print('alembic' in sys.modules)"
        )
        command = [sys.executable, "-c", code, str(Path(self.mktemp()).absolute())]
        said = [subprocess.run(command, capture_output=True, text=True, cwd=ROOT.parent).stdout for _ in range(2)]
        self.assertEqual(said, ["True\n", "False\n"])

    def test_reactor(self) -> None:
        """The reactor is imported inside ``makeService`` alone; everything else is given a clock."""
        for name, tree in modules().items():
            makers = [
                node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "makeService"
            ]
            inside = {id(node) for maker in makers for node in ast.walk(maker)}
            for node in ast.walk(tree):
                found = isinstance(node, ast.ImportFrom) and any(alias.name == "reactor" for alias in node.names)
                self.assertFalse(found and id(node) not in inside, name)

    def test_values_are_pure(self) -> None:
        """The values, the wire and the orderings know nothing of Twisted, and of nothing above them."""
        pure = ["vulnerability.py", "platforms.py", "wire.py", "settings.py", "versions/dpkg.py", "scanner/matcher.py"]
        for name in [*pure, "server/sessions.py", "server/chunks.py", "server/budget.py"]:
            self.assertFalse(imports_any(modules()[name], "twisted"), name)

    def test_parsers_are_pure(self) -> None:
        """What reads feeds knows of neither Twisted nor the network."""
        shells = self.users("twisted", "treq", "socket", "urllib", "http", "subprocess")
        documents = {name for name in modules() if name.startswith("sources/") and name.endswith("_documents.py")}
        readers = {path for path in modules() if path.startswith("sources/osv_")}
        names = ("archives", "unpacking", "gathering", "flaw_names", "fixes", "arches", "xml_elements")
        names += ("red_hat_products", "clair_distributions", "csaf_products", "csaf_statuses", "csaf_holdings")
        others = {f"sources/{name}.py" for name in names}
        self.assertLessEqual(others, modules().keys())
        self.assertEqual((documents | readers | others) & shells, set())
        self.assertGreater(len(documents | readers), 5)

    def test_scanner_is_small(self) -> None:
        """A scanner that runs has loaded no SQLAlchemy, no Klein, no CycloneDX, nor anything of the server."""
        code = "import sys, patches.scanner.service, patches.scanner.once; print(*sys.modules)"
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent)
        loaded = set(ran.stdout.split())
        self.assertIn("patches.scanner.client", loaded)
        heavy = {"sqlalchemy", "klein", "werkzeug", "cyclonedx", "patches.server", "patches.reporter"}
        self.assertEqual(loaded & heavy, set())

    def test_command_is_quick(self) -> None:
        """The command loads what is heavy only where it is needed: nothing of the server's for a scan."""
        code = "import sys, patches.console; print(*sys.modules)"
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent)
        heavy = {"sqlalchemy", "alembic", "klein", "cyclonedx", "rich", "patches.server.catalogue"}
        self.assertEqual(set(ran.stdout.split()) & heavy, set())
