"""
The extras of Amazon Linux 2: a catalogue of topics, each a repository of its own.

A topic that cannot be fetched does not fail the others: it is reported, and its packages are in no record. Source: the
catalogue at Amazon's CDN, whose ``topics`` have the name ``n``.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

from twisted.logger import Logger

from patches.errors import SourceError
from patches.interfaces import Run
from patches.sources.archive.decompress import UnpackLimits, open_feed
from patches.sources.feed import Fetch, FetchedFile
from patches.sources.fields import dicts, object_of
from patches.sources.updateinfo.lists import EXTRAS_INDEX, Topic
from patches.sources.updateinfo.repomd import NoSuchFile
from patches.storage.atomic_file import write_atomically

log = Logger()

_TOPIC = re.compile(r"[A-Za-z0-9][\w.+-]{0,63}\Z", re.ASCII)
#: The catalogue is parsed in the server; it has some hundred KB.
_SMALL = UnpackLimits(total_bytes=1024 * 1024, dictionary_bytes=1024 * 1024)
#: The highest number of topics.
MOST_TOPICS = 500


class ExtrasFetch:
    """
    Fetches repositories, and for the location of a catalogue those of all its topics.

    :param fetch: fetches a file.
    :param repository: fetches the advisories of a repository.
    :param path: where to write the index of topics.
    """

    def __init__(self, fetch: Fetch, repository: Fetch, run: Run, path: Path) -> None:
        self._fetch = fetch
        self._repository = repository
        self._run = run
        self._path = path

    async def __call__(self, location: str, /) -> FetchedFile:
        """
        Fetch the advisories of a repository, or the index of topics that :func:`read_topics` reads.

        :raises SourceError: if a repository cannot be fetched.
        """
        found = EXTRAS_INDEX.match(location)
        if found is None:
            return await self._repository(location)
        topics = [topic async for topic in self._topics(location, found[1])]
        index = json.dumps([[topic.name, topic.path, topic.problem, state] for topic, state in topics])
        await self._run(_write, self._path, index)
        return FetchedFile(self._path, hashlib.sha256(index.encode()).hexdigest())

    async def _topics(self, location: str, base: str) -> AsyncIterator[tuple[Topic, str]]:
        """Yield the topics, each with the state of its file."""
        try:
            names = await self._run(_names, (await self._fetch(location)).path, location)
        except SourceError as error:
            log.warn("The extras cannot be read: {error}", error=error)
            yield Topic("catalogue", problem=str(error)), ""
            return
        for name in names:
            try:
                file = await self._repository(f"{base}/extras/{name}/latest/x86_64/mirror.list")
            except NoSuchFile:
                yield Topic(name), ""
            except SourceError as error:
                log.warn("The extra {name} cannot be read: {error}", name=name, error=error)
                yield Topic(name, problem=str(error)), ""
            else:
                yield Topic(name, str(file.path)), file.state


def _write(path: Path, index: str) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(path, index.encode())
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from error


def _names(path: Path, location: str) -> list[str]:
    try:
        with open_feed(path, _SMALL) as stream:
            document = json.loads(stream.read())
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{location}: not JSON") from error
    names = [topic.get("n") for topic in dicts(object_of(document).get("topics"))]
    found = [name for name in names if isinstance(name, str) and _TOPIC.match(name)]
    if not found or len(found) > MOST_TOPICS:
        raise SourceError(f"{location}: not a catalogue of extras: it has {len(found)} topics")
    return sorted(set(found))
