"""The fixtures of tests of feeds: a fetch of files that the tests create, and a run that does not wait."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.trial.unittest import SynchronousTestCase

from patches.errors import NotThere, SourceError
from patches.interfaces import ISource
from patches.sources.config import SourceConfig
from patches.sources.context import SourceContext
from patches.sources.feed import FeedSource, FetchedFile
from patches.sources.fetch.cache import FileCache
from patches.sources.fetch.local import LocalFiles
from patches.sources.registry import create_source
from patches.vulnerability import Vulnerability

T = TypeVar("T")


class Site:
    """
    Files by their locations; a ``Fetch``.

    :ivar asked: every location that was requested, in order.
    """

    def __init__(self, folder: Path) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self._folder = folder
        folder.mkdir(parents=True)

    async def __call__(self, location: str, /) -> FetchedFile:
        """Return a file, or raise."""
        self.asked.append(location)
        content = self.files.get(location)
        if content is None:
            beside = location.endswith((".sha256", ".sha512"))
            raise (NotThere if beside else SourceError)(f"{location}: it answered 404")
        path = self._folder / hashlib.sha256(location.encode()).hexdigest()
        path.write_bytes(content)
        return FetchedFile(path, hashlib.sha256(content).hexdigest())

    def news(self) -> list[str]:
        """Return the requests since the last call."""
        asked, self.asked = self.asked, []
        return asked


def run(call: Callable[..., T], /, *args: Any) -> Deferred[T]:
    """Call the function at once."""
    return maybeDeferred(call, *args)


class FeedCase(SynchronousTestCase):
    """A case with a site, and with sources that read it."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.site = Site(self.folder / "site")

    def had(self, awaitable: Coroutine[Any, Any, T]) -> T:
        """Return the result of an awaitable that needs no time."""
        return self.successResultOf(Deferred.fromCoroutine(awaitable))

    def refusal(self, awaitable: Coroutine[Any, Any, Any]) -> str:
        """Return the message with which a source refuses, which must be a single line."""
        text = str(self.failureResultOf(Deferred.fromCoroutine(awaitable), SourceError).value)
        self.assertNotIn("\n", text)
        return text

    def source(self, wanted: frozenset[str] | None = None, **section: Any) -> FeedSource:
        """Create a source from a section of the configuration."""
        files = FileCache(self.folder / "kept")
        context = SourceContext(
            reactor=None, run=run, folder=self.folder, fetcher=lambda config: self.site, files=files
        )
        source = create_source(SourceConfig.from_section("made-up", section), context, wanted)
        assert isinstance(source, FeedSource)
        return source

    def read(self, source: FeedSource) -> list[Vulnerability]:
        """Read all lists that a source offers."""
        return self.had(reading(source))


class LocalCase(FeedCase):
    """A case with files in a folder."""

    def made(self, wanted: frozenset[str] | None = None, **section: Any) -> ISource:
        """Create a source that reads local files."""
        files = FileCache(self.folder / "kept")
        context = SourceContext(
            reactor=None, run=run, folder=self.folder, fetcher=lambda config: LocalFiles(run), files=files
        )
        return create_source(SourceConfig.from_section("made-up", section), context, wanted)

    def write(self, name: str, content: bytes) -> str:
        """Write a file. Return its folder."""
        path = self.folder / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return str(self.folder / "files")

    def names(self, **section: Any) -> list[tuple[str, str]]:
        """Read a source. Return names and platforms."""
        return [(each.name, each.platform) for each in self.had(reading(self.made(**section)))]


async def reading(source: ISource) -> list[Vulnerability]:
    """Read all lists that a source offers, without the lists of followed packages."""
    found = [vulnerability for offer in await source.offers() async for vulnerability in source.listing(offer.key)]
    return [vulnerability for vulnerability in found if not vulnerability.followed]
