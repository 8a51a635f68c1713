"""Imports point in one direction between folders, and large libraries are imported only where they are used."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import patches

ROOT = Path(patches.__file__).parent
PROGRAMS = ("server", "scanner", "reporter")

#: From the lowest to the highest: a module imports from its own row and from the rows before. A name is a folder, or a
#: module where a folder holds several layers (``.`` is the modules at the root of the package).
LAYERS = (
    ("values and contracts", (".", "enrichment", "versions")),
    ("adapters of all programs", ("service", "signing", "storage")),
    ("HTTP of all programs", ("http",)),
    (
        "what feeds share",
        (
            *("sources/fields", "sources/ids", "sources/parse_context", "sources/parse_job", "sources/feed"),
            *("sources/config", "sources/ecosystem_config", "sources/titles"),
        ),
    ),
    ("reading files", ("sources/archive", "sources/fetch", "sources/red_hat")),
    (
        "creating sources",
        ("sources/context", "sources/feed_config", "sources/parsing", "sources/regroup", "sources/worker"),
    ),
    (
        "feeds",
        (
            *("sources/clair", "sources/clair_export", "sources/csaf", "sources/debian_tracker", "sources/ndjson"),
            *("sources/epss", "sources/kev", "sources/nvd"),
            *("sources/osv", "sources/secdb", "sources/updateinfo"),
        ),
    ),
    ("sources by name", ("sources/registry", "sources/public")),
    ("server: values", ("server/errors", "server/budget")),
    ("server: catalogue", ("server/catalogue",)),
    ("server: sessions, refresh", ("server/sessions", "server/refresh")),
    ("server: first scanner", ("server/first_scanner",)),
    ("server: http", ("server/http",)),
    (
        "server: shell",
        (*("server/admin", "server/assembly", "server/configured_sources", "server/options", "server/service"),),
    ),
    ("scanner: inventory, client", ("scanner/inventory", "scanner/client", "scanner/json_pieces")),
    ("scanner: host, matching", ("scanner/host", "scanner/matching")),
    ("scanner: outcome", ("scanner/outcome",)),
    ("scanner: reporting, output", ("scanner/reporting", "scanner/output")),
    ("one host by itself", ("standalone",)),
    (
        "scanner: shell",
        (
            *("scanner/compare", "scanner/memory_wall", "scanner/scan", "scanner/schedule", "scanner/options"),
            *("scanner/host_scan", "scanner/list_watch"),
            *("scanner/list_origin", "scanner/lists", "scanner/doctor"),
            "scanner/service",
            *("scanner/simulation", "scanner/scan_command", "scanner/query_commands", "scanner/scan_inputs"),
            "scanner/scan_outputs",
        ),
    ),
    ("reporter", ("reporter",)),
    ("tests of others", ("testing",)),
    ("programs together", ("demo", "cli")),
)
#: Folders of one row that import each other nevertheless: which, and from which.
BESIDE = {
    ("scanner/output", "scanner/reporting"),
    ("cli", "demo"),
    ("server/service", "server/options"),
    ("signing", "storage"),
}
#: Folders of one row are independent of each other, except in these rows.
TOGETHER = ("values and contracts", "what feeds share", "reading files", "creating sources", "server: values")
SHELLS = ("server: shell", "scanner: shell", "sources by name")


#: The ``__init__`` of a package whose modules are in several layers belongs to none of them, and imports nothing.
FACES = ("sources/__init__.py", "server/__init__.py", "scanner/__init__.py")
#: The modules that read vulnerability sources.
READERS_OF_SOURCES = ("sources/", "server/configured_sources.py", "standalone/sources.py")


@cache
def modules() -> Mapping[str, ast.Module]:
    """Return every module of the package, parsed, by its path within the package."""
    return {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text("utf-8")) for path in ROOT.rglob("*.py")}


def imports(tree: ast.AST) -> Iterator[str]:
    """Yield the full names that a module imports, anywhere in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and _calls_import(node.func):
            yield from (str(each.value) for each in node.args[:1] if isinstance(each, ast.Constant))


def _calls_import(function: ast.expr) -> bool:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in ("import_module", "__import__")


def imports_any(tree: ast.AST, *packages: str) -> bool:
    """Return whether a module imports one of these packages, or something in it."""
    return any(name == package or name.startswith(package + ".") for name in imports(tree) for package in packages)


def place(path: str) -> tuple[int, str]:
    """Return the number of a module's row, and the name in that row that contains the module."""
    bare = path.removesuffix(".py").removesuffix("/__init__")
    found = [
        (len(name), row, name)
        for row, (_, names) in enumerate(LAYERS)
        for name in names
        if bare == name or bare.startswith(name + "/") or (name == "." and "/" not in bare)
    ]
    assert found, f"{path} is in no layer"
    _, row, name = max(found)
    return row, name


def path_of(name: str) -> str | None:
    """Return the path of the module that a full name is imported from; ``None``: it is not in this package."""
    if name.partition(".")[0] != "patches":
        return None
    parts = name.split(".")[1:]
    for length in (len(parts), len(parts) - 1):
        base = "/".join(parts[:length])
        for path in (f"{base}.py", f"{base}/__init__.py") if base else ("__init__.py",):
            if path in modules():
                return path
    raise AssertionError(f"{name} is not a module")


def wrong_way(path: str, tree: ast.Module) -> list[str]:
    """Return the imports of a module that do not point down."""
    row, mine = place(path)
    found = []
    for name in imports(tree):
        target = path_of(name)
        if target is None or target in FACES:
            continue
        other, theirs = place(target)
        is_beside = LAYERS[row][0] in (*TOGETHER, *SHELLS) or mine == theirs or (mine, theirs) in BESIDE
        if other > row or (other == row and not is_beside):
            found.append(f"{path} imports {target}")
    return found


class LayerTests(SynchronousTestCase):
    """All modules, parsed but not run."""

    def users(self, *packages: str) -> set[str]:
        """Return the modules that import one of these."""
        return {name for name, tree in modules().items() if imports_any(tree, *packages)}

    def folders_of(self, *packages: str) -> set[str]:
        """Return the folders with a module that imports one of these."""
        return {name.rpartition("/")[0] for name in self.users(*packages)}

    def test_imports_point_down(self) -> None:
        """A module imports from the layers below its own: inside the server, catalogue < sessions, refresh < http."""
        found = [each for path, tree in modules().items() if path not in FACES for each in wrong_way(path, tree)]
        self.assertEqual(found, [])
        self.assertEqual([path for path in FACES if any(map(path_of, imports(modules()[path])))], [])
        self.assertGreater(len(modules()), 200)

    def test_wrong_imports_are_found(self) -> None:
        """The rule refuses an import of a higher layer, of a neighbour, and one within a function."""
        for path, line in (
            ("server/catalogue/store.py", "from patches.server.sessions.window import Window"),
            ("server/sessions/window.py", "from patches.server.refresh.status import ListStatus"),
            ("server/refresh/status.py", "def f():\n    import patches.server.http.api"),
            ("wire.py", "from patches.storage.sqlite import open_sqlite"),
            ("sources/osv/parser.py", "from patches.sources.csaf.parser import parse_csaf"),
            ("sources/archive/zip.py", "from patches.sources import registry"),
            ("server/catalogue/store.py", "import importlib\nimportlib.import_module('patches.server.http.api')"),
            ("scanner/scan.py", "__import__('patches.scanner.service')\n__import__('patches.demo.demonstration')"),
        ):
            self.assertEqual(len(wrong_way(path, ast.parse(line))), 1, line)
        self.assertRaises(AssertionError, wrong_way, "server/catalogue/store.py", ast.parse("from ..http import api"))

    def test_only_the_server_reads_sources(self) -> None:
        """Scanner and reporter never import a source; the server does in one module."""
        users = self.users("patches.sources")
        self.assertEqual({path for path in users if not path.startswith(READERS_OF_SOURCES)}, set())

    def test_programs_are_apart(self) -> None:
        """Server, scanner and reporter never import each other; only the demonstration imports all of them."""
        for program in PROGRAMS:
            others = [f"patches.{other}" for other in PROGRAMS if other != program]
            inside = {name for name in self.users(*others) if name.startswith(program + "/")}
            self.assertEqual(inside, set())

    def test_klein(self) -> None:
        """Only the modules of routes, and the resource that serves them, import Klein."""
        self.assertEqual(self.users("klein"), {"http/routes.py", "server/http/api.py", "reporter/api.py"})

    def test_treq(self) -> None:
        """
        Only modules that send requests import treq: the clients of sources and of the scanner, and the demonstration.
        """
        self.assertEqual(self.folders_of("treq"), {"sources/fetch", "scanner/client", "demo"})

    def test_cyclonedx(self) -> None:
        """No module imports CycloneDX's library, which is for tests; only modules that name packages import purls."""
        self.assertEqual(self.users("cyclonedx"), set())
        self.assertEqual(self.folders_of("packageurl"), {"scanner/matching", "scanner/matching/vex"})

    def test_sqlalchemy(self) -> None:
        """Only the catalogue and the reporter's store import the database."""
        users = {name for name in self.users("sqlalchemy") if not name.startswith("server/catalogue/")}
        self.assertEqual(
            users,
            {
                *("storage/sqlite.py", "storage/database_url.py"),
                *("reporter/store.py", "reporter/schema.py", "reporter/unverified.py", "reporter/row_checksums.py"),
                *("server/refresh/requests_table.py", "server/admin/open_catalogue.py"),
            },
        )

    def test_policy_loads_no_database(self) -> None:
        """The logic of sessions, windows and lists can be imported without SQLAlchemy."""
        names = [
            "patches." + path.removesuffix(".py").replace("/", ".")
            for path in modules()
            if path.startswith("server/sessions/") or path.startswith("server/refresh/")
            if path.rpartition("/")[2] not in ("__init__.py", "requests_table.py")
        ]
        # these use the catalogue
        heavy = ("publisher", "queue", "poller", "refresher", "maintenance", "platforms", "on_demand", "scrub")
        heavy += ("damaged_lists", "enriching")
        names = [name for name in names if name.rpartition(".")[2] not in heavy]
        code = f"import sys, {', '.join(names)}; print('sqlalchemy' in sys.modules)"
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent)
        self.assertEqual(ran.stdout, "False\n")

    def test_alembic(self) -> None:
        """Migrations are loaded only to migrate: a server on a catalogue that is up to date saves their memory."""
        users = {name for name in self.users("alembic") if "migrations/" not in name}
        self.assertEqual(users, {"server/catalogue/migrate.py"})
        code = (
            "import sys, pathlib, patches.server.catalogue.schema as schema\n"
            "schema.open_database(pathlib.Path(sys.argv[1])); print('alembic' in sys.modules)"
        )
        command = [sys.executable, "-c", code, str(Path(self.mktemp()).absolute())]
        said = [subprocess.run(command, capture_output=True, text=True, cwd=ROOT.parent).stdout for _ in range(2)]
        self.assertEqual(said, ["True\n", "False\n"])

    def test_reactor(self) -> None:
        """Only ``makeService`` imports the reactor, within its body; all other code receives a clock."""
        for name, tree in modules().items():
            makers = [
                node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "makeService"
            ]
            inside = {id(node) for maker in makers for node in ast.walk(maker)}
            for node in ast.walk(tree):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
                found = any(each.rpartition(".")[2] == "reactor" for each in names)
                self.assertFalse(found and id(node) not in inside, name)

    def test_values_are_pure(self) -> None:
        """
        The values, the wire format, the version orders and the matcher import neither Twisted nor any layer above them.
        """
        pure = [
            "vulnerability.py",
            "platforms.py",
            "wire.py",
            "settings.py",
            "setting_parsers.py",
            "scanner/matching/matcher.py",
        ]
        pure += ["server/catalogue/chunks.py", "server/budget.py", "server/errors.py"]
        core = ("states", "session", "table", "queue", "pace", "admission", "events", "window", "windows", "sessions")
        pure += [f"server/sessions/{name}.py" for name in core]
        for name in [*pure, *(path for path in modules() if path.startswith("versions/"))]:
            self.assertFalse(imports_any(modules()[name], "twisted"), name)

    def test_parsers_are_pure(self) -> None:
        """The parsers of feeds import neither Twisted nor the network."""
        shells = self.users("twisted", "treq", "socket", "urllib.request", "http", "subprocess")
        parsers = {name for name in modules() if name.startswith("sources/") and name.endswith("/parser.py")}
        self.assertEqual(len(parsers), 8)
        folders = (
            "sources/osv/",
            "sources/archive/",
            "sources/clair_export/",
            "sources/debian_tracker/",
            "enrichment/",
        )
        readers = {path for path in modules() if path.startswith(folders)}
        names = ("fields", "ids", "parse_context", "regroup", "red_hat", "csaf/products", "csaf/statuses", "csaf/store")
        others = {f"sources/{name}.py" for name in (*names, "csaf/index", "updateinfo/repomd")}
        self.assertLessEqual(others, modules().keys())
        self.assertEqual((parsers | readers | others) & shells, set())

    def test_scanner_is_small(self) -> None:
        """A running scanner has imported no SQLAlchemy, no Klein, no CycloneDX, and no module of the server."""
        code = "import sys, patches.scanner.service, patches.scanner.scan_command; print(*sys.modules)"
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent)
        loaded = set(ran.stdout.split())
        self.assertIn("patches.scanner.client.client", loaded)
        heavy = {"sqlalchemy", "klein", "werkzeug", "cyclonedx", "patches.server", "patches.reporter"}
        self.assertEqual(loaded & heavy, set())

    def test_command_is_quick(self) -> None:
        """The command imports large libraries only where it needs them: no module of the server for a scan."""
        code = "import sys, patches.cli.main; print(*sys.modules)"
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent)
        heavy = {"sqlalchemy", "alembic", "klein", "cyclonedx", "rich", "patches.server.catalogue.store"}
        self.assertEqual(set(ran.stdout.split()) & heavy, set())

    def test_help_is_quick(self) -> None:
        """The list of commands is shown without Twisted, and without what any of them needs."""
        code = "import sys\nfrom patches.cli.entry import main\ntry: main()\nexcept SystemExit: print(*sys.modules)"
        command = [sys.executable, "-c", code, "--help"]
        ran = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT.parent)
        self.assertIn("scan ", ran.stdout)
        loaded = set(ran.stdout.split())
        self.assertIn("patches.cli.main", loaded)
        heavy = {"twisted", "attrs", "attr", "rich", "cryptography", "msgspec", "patches.settings", "patches.scanner"}
        self.assertEqual(loaded & heavy, set())

    def test_folders_are_small(self) -> None:
        """A folder has at most sixteen modules."""
        sizes: dict[str, int] = {}
        for path in modules():
            folder = path.rpartition("/")[0]
            sizes[folder] = sizes.get(folder, 0) + 1
        self.assertEqual({folder: size for folder, size in sizes.items() if size > 16}, {})
