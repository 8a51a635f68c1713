"""
The advisories of an rpm repository, found through the repository's index of files.

The index is ``repodata/repomd.xml``: small, and unchanged as long as the repository is; then nothing else is requested.
A mirror list may come first, which contains the URL of the repository.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from patches.errors import SourceError
from patches.interfaces import Run
from patches.sources.archive.decompress import UnpackLimits, open_feed
from patches.sources.feed import Fetch, FetchedFile, Use
from patches.sources.fields import is_link
from patches.sources.updateinfo.repomd import Location, parse_repomd

_REPOMD = "/repodata/repomd.xml"
_MIRRORS = "mirror.list"
_FILE = re.compile(r"(?:^|/)(?!repomd\.xml)[^/]+\.xml(?:\.\w+)?\Z")
_MIB = 1024 * 1024
#: These files are parsed in the server; the largest known have some ten thousand bytes.
_SMALL = UnpackLimits(total_bytes=_MIB, dictionary_bytes=_MIB)
#: A file whose checksum is that of its content is unpacked in the server, without being parsed.
_SUMMED = UnpackLimits(dictionary_bytes=8 * _MIB)
#: The highest number of mirrors that are tried.
_TRIED = 5


class UpdateinfoFetch:
    """
    Fetches the ``updateinfo`` of a repository.

    :param fetch: fetches a file.
    :param run: runs blocking calls.
    :param use: is called with files that are in use although they are not fetched again.
    :param drop: removes files that are damaged, so that they are fetched again.
    """

    def __init__(self, fetch: Fetch, run: Run, use: Use, drop: Use) -> None:
        self._fetch = fetch
        self._drop = drop
        self._run = run
        self._use = use
        self._had: dict[str, FetchedFile] = {}

    async def __call__(self, location: str, /) -> FetchedFile:
        """
        Fetch the file of a repository, and verify it against the checksum in ``repomd.xml``.

        :param location: the repository, its ``repomd.xml``, a ``mirror.list`` with its URL, or the file itself.
        :raises SourceError: if it cannot be fetched.
        """
        if _FILE.search(location):
            return await self._fetch(location)
        bases = await self._bases(location)
        for number, base in enumerate(bases, start=1):
            try:
                self._had[location] = await self._of_repository(base, self._had.get(location))
                break
            except SourceError:
                if number == len(bases):
                    raise
        return self._had[location]

    async def _bases(self, location: str) -> list[str]:
        if not location.endswith(_MIRRORS):
            return [location.removesuffix(_REPOMD).rstrip("/")]
        listed = await self._fetch(location)
        text = await self._run(_read, listed.path)
        mirrors = [line.strip().rstrip("/") for line in text.splitlines()]
        mirrors = [mirror for mirror in mirrors if is_link(mirror)][:_TRIED]
        if not mirrors:
            raise SourceError(f"{location}: contains no mirror")
        return mirrors

    async def _of_repository(self, base: str, had: FetchedFile | None) -> FetchedFile:
        repomd = await self._fetch(base + _REPOMD)
        where = await self._run(_parse, repomd.path, base)
        state = f"{where.algorithm}:{where.digest}"
        if had is not None and had.state == state:
            await self._run(self._use, [had.path])
            if had.path.exists():
                return had
        file = await self._fetch(f"{base}/{where.href}")
        try:
            await self._run(_check, file.path, where, base)
        except SourceError:
            await self._run(self._drop, [repomd.path, file.path])
            raise
        return FetchedFile(file.path, state)


def _read(path: Path) -> str:
    with open_feed(path, _SMALL) as stream:
        return stream.read().decode("utf-8", "replace")


def _parse(path: Path, base: str) -> Location:
    try:
        with open_feed(path, _SMALL) as stream:
            return parse_repomd(stream)
    except SourceError as error:
        raise type(error)(f"{base}{_REPOMD}: {error}") from error


def _check(path: Path, where: Location, base: str) -> None:
    found = hashlib.new(where.algorithm, usedforsecurity=False)
    try:
        with open_feed(path, _SUMMED) if where.unpacked else path.open("rb") as stream:
            while piece := stream.read(_MIB):
                found.update(piece)
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from error
    if found.hexdigest() != where.digest:
        raise SourceError(f"{base}/{where.href}: does not have the {where.algorithm} checksum of repomd.xml")
