"""The commit that this program was built from, for ``--version``: who reports an error can say what runs."""

from __future__ import annotations

import re
from pathlib import Path

from patches import __version__

_PACKAGE = Path(__file__).parents[1]
#: The file in an installed package that has the commit; ``setup.py`` writes it.
COMMIT_FILE = "COMMIT"
_HASH = re.compile(r"[0-9a-f]{40,64}\Z")
_SHOWN = 12


def version_text() -> str:
    """Return the version, with the commit if it is known: ``0.1.0 (commit 371ef9c2b0a1)``."""
    commit = commit_of(_PACKAGE)
    return f"{__version__} (commit {commit[:_SHOWN]})" if commit is not None else __version__


def commit_of(package: Path) -> str | None:
    """
    Return the commit of a package, from its file, or from the repository in which it stands; ``None``: not known.

    A repository is read without git: ``HEAD`` is a commit, or names a reference, gitrepository-layout(5).
    """
    told = _line(package / COMMIT_FILE)
    if told is not None:
        return told if _HASH.match(told) else None
    repository = package.parent / ".git"
    if repository.is_file():  # of another worktree: the file names its folder
        repository = package.parent / (_line(repository) or "").removeprefix("gitdir: ")
    head = _line(repository / "HEAD") or ""
    name = head.removeprefix("ref: ")
    shared = repository / (_line(repository / "commondir") or ".")
    found = head if name == head else _line(shared / name) or _packed(shared / "packed-refs", name)
    return found if _HASH.match(found or "") else None


def _line(path: Path) -> str | None:
    """Return the first line of a file; ``None`` if it cannot be read or is empty."""
    try:
        with path.open(encoding="ascii", errors="replace") as file:
            return file.readline(4096).strip() or None
    except OSError:
        return None


def _packed(path: Path, name: str) -> str | None:
    try:
        lines = path.read_text("ascii", "replace").splitlines()
    except OSError:
        return None
    return next((line.partition(" ")[0] for line in lines if line.endswith(f" {name}")), None)
