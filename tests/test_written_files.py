"""Files are written in few modules only: the small ones of state durably, with modes of their own."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import patches

ROOT = Path(patches.__file__).parent

#: What opens files for writing, with the reason for which it need not be :mod:`patches.storage.atomic_file`.
WRITERS = {
    "storage/atomic_file.py": "it is",
    "scanner/client/cache.py": "a list, chunk by chunk; it is synced and renamed when it is whole",
    "sources/fetch/cache.py": "the beginning of a download, which has a checksum",
    "sources/fetch/download.py": "the rest of it; it is synced and renamed when it is whole",
    "sources/worker/staged_file.py": "the answer of a worker, which is deleted once it is read",
    "sources/worker/ceilings.py": "/proc",
    "sources/worker/__main__.py": "a pipe",
    "service/daemon.py": "an empty file: the lock of a state folder, and a probe",
    "scanner/output/destinations.py": "a device or a pipe, which is no file",
    "storage/scratch.py": "databases of what can be read again",
    "storage/sqlite.py": "databases",
    "scanner/inventory/bounded_sqlite.py": "a copy of a package database, which is deleted after use",
    "server/catalogue/schema.py": "the engine of PostgreSQL",
}
_NAMES = {"touch", "write_text", "write_bytes", "mkstemp", "NamedTemporaryFile", "create_engine"}


def writes(tree: ast.AST) -> Iterator[int]:
    """Yield the lines in which a module opens a file for writing."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        owner = getattr(getattr(node.func, "value", None), "id", "")
        words = [
            each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)
        ]
        is_open = name in ("open", "fdopen") and any(
            set(word) <= set("rwxab+") and set(word) & set("wxa") for word in words
        )
        is_sqlite = name == "connect" and owner == "sqlite3"
        flags = {getattr(each, "attr", "") for each in ast.walk(node)}
        creates = (owner, name) == ("os", "open") and "O_CREAT" in flags
        if (
            is_open
            or is_sqlite
            or creates
            or (
                name in _NAMES
                and "essions" not in ast.dump(node.func)
                and owner != "self"
                and "_service" not in ast.dump(node.func)
            )
        ):
            yield node.lineno


class WrittenFilesTests(SynchronousTestCase):
    """Every module of the package, but for the doubles that tests use."""

    def test_writers(self) -> None:
        """Only the modules above open files for writing."""
        found = {
            path.relative_to(ROOT).as_posix()
            for path in ROOT.rglob("*.py")
            if "testing" not in path.parts and list(writes(ast.parse(path.read_text("utf-8"))))
        }
        self.assertEqual(found, set(WRITERS))
