"""
Files that are verified against the checksums that their publisher keeps beside them: ``FILE.sha256``, ``FILE.sha512``.

Sources: CSAF 2.0, requirement 18 of providers (*Integrity*), which each document of Red Hat and SUSE fulfils;
``sha256sum`` of GNU coreutils and ``sha256`` of BSD for the format. These checksums show damage, not forgery.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from attrs import field, frozen

from patches.errors import AccessRefused, NotThere, SourceError
from patches.interfaces import Run
from patches.sources.feed import Fetch, FetchedFile, Use
from patches.sources.fetch.checksums import Checksum
from patches.sources.fetch.redirects import without_credentials

#: The endings of the files of checksums, in the order in which they are asked for.
ENDINGS = ("sha256", "sha512")
_GNU = re.compile(r"([0-9A-Fa-f]{64,128})(?:[ \t]+[ *]?(?P<name>[^\r\n]+?))?[ \t]*\r?\Z")
_BSD = re.compile(r"SHA(?:256|512) ?\((?P<name>[^\r\n]+)\) ?= ?([0-9A-Fa-f]{64,128})[ \t]*\r?\Z")
#: A file of checksums has one line, or one for each file of a folder.
_LONGEST = 256 * 1024
_BLOCK = 1 << 20
#: If this many files of a source in a row have no checksum beside them, its further files are not asked about.
_MISSES = 3
#: The highest number of files that are known to be verified.
_REMEMBERED = 1024


def parse_published(text: str, name: str, ending: str) -> Checksum | None:
    """
    Return the checksum of a file.

    :param text: the content of a file of checksums.
    :param name: the name of the file; a single line may have another one, or none.
    :param ending: of :data:`ENDINGS`.
    :return: ``None`` if it is not a file of such checksums, as the page that some servers have for every path.
    """
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    found = [(_GNU.match(line), _BSD.match(line)) for line in lines]
    if not found or not all(gnu or bsd for gnu, bsd in found):
        return None
    read = [(match["name"] or "", match[1] if gnu else match[2]) for gnu, bsd in found if (match := gnu or bsd)]
    named = [digest for each, digest in read if each.rpartition("/")[2] == name] or [digest for _, digest in read]
    if len(set(named)) != 1 or len(named[0]) != hashlib.new(ending).digest_size * 2:
        return None
    return Checksum(ending, named[0].lower())


@frozen
class VerifiedFetch:
    """
    Fetches files, and verifies those that have a checksum beside them.

    :ivar fetch: fetches a file.
    :ivar run: runs blocking calls.
    :ivar drop: removes fetched files that are damaged, so that they are fetched again; local ones stay.
    """

    fetch: Fetch
    run: Run
    drop: Use
    _verified: dict[str, str] = field(factory=dict)
    _misses: list[str] = field(factory=list)

    async def __call__(self, location: str, /) -> FetchedFile:
        """
        Fetch a file; a file that is as it was when it was verified is not verified again.

        :raises SourceError: if it cannot be fetched, or does not have the checksum beside it.
        """
        file = await self.fetch(location)
        if self._verified.get(location) == file.state or await self._is_right(location, file):
            return self._remembered(location, file)
        # The file may have changed between the two requests: both are fetched anew, once.
        file = await self.fetch(location)
        if not await self._is_right(location, file):
            raise SourceError(f"{without_credentials(location)}: does not have the checksum published beside it")
        return self._remembered(location, file)

    def _remembered(self, location: str, file: FetchedFile) -> FetchedFile:
        if len(self._verified) >= _REMEMBERED:
            self._verified.clear()
        self._verified[location] = file.state
        return file

    async def _is_right(self, location: str, file: FetchedFile) -> bool:
        """Return whether a file has the checksum beside it, if there is one; one that is wrong is dropped."""
        if "?" in location or await self.run(file.path.is_dir):
            return True
        found = await self._published(location)
        if found is None or await self.run(_digest, file.path, found[1].algorithm) == found[1].digest:
            return True
        await self.run(self.drop, [file.path, found[0]])
        return False

    async def _published(self, location: str) -> tuple[Path, Checksum] | None:
        """Return the published checksum of a file, and the file that it is in."""
        name = location.rstrip("/").rpartition("/")[2]
        for ending in ENDINGS if len(self._misses) < _MISSES else ():
            beside = f"{location}.{ending}"
            if "://" not in location and not await self.run(Path(beside).exists):
                continue
            try:
                path = (await self.fetch(beside)).path
            except (NotThere, AccessRefused):  # some storages refuse what they do not have
                continue
            if (found := await self.run(_read, path, name, ending)) is not None:
                self._misses.clear()
                return path, found
        if "://" in location:
            self._misses.append(location)
        return None


def _read(path: Path, name: str, ending: str) -> Checksum | None:
    try:
        with path.open("rb") as file:
            text = file.read(_LONGEST + 1)
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from error
    return parse_published(text.decode("utf-8", "replace"), name, ending) if len(text) <= _LONGEST else None


def _digest(path: Path, algorithm: str) -> str:
    found = hashlib.new(algorithm)
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                found.update(block)
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from error
    return found.hexdigest()
