"""Local files of feeds: nothing is fetched, and their sizes and modification times show whether they changed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from patches.errors import SourceError
from patches.interfaces import Run
from patches.sources.feed import FetchedFile


class LocalFiles:
    """
    Returns local files, and folders of files.

    :param run: runs blocking calls.
    """

    def __init__(self, run: Run) -> None:
        self._run = run

    async def __call__(self, location: str, /) -> FetchedFile:
        """
        Return a file or a folder, with its state.

        :raises SourceError: if it does not exist, or cannot be read.
        """
        path = Path(location)
        return FetchedFile(path, await self._run(_state, path))


def _state(path: Path) -> str:
    try:
        if not path.is_dir():
            return f"{path.stat().st_ino} {_facts(path)}"
        found = hashlib.sha256()
        for member in _members(path):
            found.update(f"{member.relative_to(path)} {_facts(member)}\n".encode("utf-8", "surrogateescape"))
        return found.hexdigest()
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from error


def _facts(path: Path) -> str:
    facts = path.stat()
    return f"{facts.st_size} {facts.st_mtime_ns}"


def _members(path: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(path):
        folders.sort()
        yield from (Path(folder, name) for name in sorted(names))
