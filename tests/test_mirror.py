"""
Every module has a test at the mirrored path: ``patches/a/b.py`` is tested by ``tests/a/test_b.py``.

A package's own module, ``patches/a/__init__.py``, has its test in ``tests/a/test_init.py`` if it defines a function or
a class.
"""

from __future__ import annotations

import ast
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import patches

MODULES = Path(patches.__file__).parent
TESTS = Path(__file__).parent

#: Folders whose modules are run as a whole: migrations by the tests of the schema, the others by tests of their own.
TOGETHER = ("server/catalogue/migrations/", "demo/", "testing/")

#: Modules without a test of their own name: the test that covers them, and the reason.
ELSEWHERE = {
    "interfaces": "test_layers.py",  # declarations, which cannot be run by themselves
    "errors": "sources/test_feed.py",  # likewise
    # what connects the parser of a feed with its files
    "sources/clair_export/lists": "sources/clair_export/test_source.py",
    "server/refresh/publication/staged_lists": "server/refresh/test_staging.py",  # the view that a store opens
    "sources/csaf/lists": "sources/csaf/test_source.py",
    "sources/debian_tracker/lists": "sources/debian_tracker/test_source.py",
    "sources/ndjson/lists": "sources/ndjson/test_source.py",
    "sources/secdb/lists": "sources/secdb/test_source.py",
    "sources/updateinfo/lists": "sources/updateinfo/test_extras.py",
}


def mirrored(module: str) -> str:
    """Return the path, below ``tests``, of the test of a module."""
    folder, slash, name = module.rpartition("/")
    return f"{folder}{slash}test_{name.strip('_')}.py"


def defines(source: str) -> bool:
    """Return whether a module defines a function or a class, and so has something to test."""
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) for node in ast.parse(source).body
    )


def modules() -> list[str]:
    """Return the modules that need a test, as paths without their ending."""
    found = [path for path in MODULES.rglob("*.py") if path.name != "__init__.py" or defines(path.read_text("utf-8"))]
    paths = [path.relative_to(MODULES).as_posix() for path in found]
    return sorted(path.removesuffix(".py") for path in paths if not path.startswith(TOGETHER))


class MirrorTests(SynchronousTestCase):
    """Modules and their tests."""

    def test_each(self) -> None:
        """A module has its test, or the list names the test that covers it."""
        self.assertGreater(len(modules()), 180)
        missing = [each for each in modules() if each not in ELSEWHERE and not (TESTS / mirrored(each)).is_file()]
        self.assertEqual(missing, [])

    def test_elsewhere(self) -> None:
        """A module in the list has no test of its own, and the test that covers it exists."""
        self.assertLessEqual(ELSEWHERE.keys(), set(modules()))
        self.assertEqual([each for each in ELSEWHERE if (TESTS / mirrored(each)).exists()], [])
        self.assertEqual([test for test in ELSEWHERE.values() if not (TESTS / test).is_file()], [])

    def test_rule(self) -> None:
        """The path of a test follows from that of its module."""
        self.assertEqual(mirrored("server/refresh/poller"), "server/refresh/test_poller.py")
        self.assertEqual(mirrored("wire"), "test_wire.py")
        self.assertEqual(mirrored("versions/__init__"), "versions/test_init.py")

    def test_packages(self) -> None:
        """The module of a package needs a test if it defines something, not if it only names or imports things."""
        for source, expected in (
            ("class A: pass", True),
            ("def f(): pass", True),
            ("async def f(): pass", True),
            ('"""Text."""\nfrom a import b\nX = 1', False),
        ):
            self.assertIs(defines(source), expected, source)
        self.assertIn("versions/__init__", modules())
        self.assertNotIn("server/catalogue/__init__", modules())
