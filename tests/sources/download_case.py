"""The fixtures of tests of downloads: a folder, a clock, and a web whose server has one file."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from patches.errors import SourceError
from patches.sources.feed import FetchedFile
from patches.sources.fetch.cache import FileCache
from patches.sources.fetch.clients import verbatim_client
from patches.sources.fetch.download import Downloader
from patches.sources.fetch.retry import FetchSettings
from tests.sources.memory_web import Asked, Told, Web, told

URL = "https://feeds.test/debian/all.zip"
BODY = bytes(range(256)) * 40
#: The time of day, which the clock by which a download is scheduled does not have.
NOW = 1_800_000_000.0


class DownloadCase(SynchronousTestCase):
    """A server that has :data:`BODY`, until a test sets other responses."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1000)
        self.web = Web(self.answer)
        self.folder = Path(self.mktemp())
        self.answers: list[Told] = []

    def answer(self, asked: Asked) -> Told:
        """Return the next response of the test; the last one is repeated."""
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def downloads(self, headers: dict[str, str] | None = None, **settings: Any) -> Downloader:
        """Create a downloader as in a new process."""
        client = verbatim_client(self.web.agent(self.clock))
        files, limits = FileCache(self.folder), FetchSettings(**{"tries": 5, **settings})
        return Downloader(client, self.clock, maybeDeferred, files, headers, limits, lambda: 0.0, lambda: NOW)

    def begin(self, url: str = URL, headers: dict[str, str] | None = None, **settings: Any) -> Deferred[FetchedFile]:
        """Start to fetch, as far as possible without waiting."""
        fetching = Deferred.fromCoroutine(self.downloads(headers, **settings)(url))
        self.web.flush()
        return fetching

    def finish(self, fetching: Deferred[FetchedFile]) -> None:
        """Advance the clock until the fetch ends."""
        for _ in range(600):
            if fetching.called:
                return
            self.clock.advance(1)
            self.web.flush()
        self.fail("it does not end")

    def fetch(self, *answers: Told, **options: Any) -> FetchedFile:
        """Fetch a file. Return it."""
        self.answers = list(answers)
        fetching = self.begin(**options)
        self.finish(fetching)
        return self.successResultOf(fetching)

    def refused(self, *answers: Told, **options: Any) -> str:
        """Fetch a file that is refused. Return the text of the error."""
        return str(self.refusal(*answers, **options))

    def refusal(self, *answers: Told, **options: Any) -> BaseException:
        """Fetch a file that is refused. Return the error."""
        self.answers = list(answers)
        fetching = self.begin(**options)
        self.finish(fetching)
        error: BaseException = self.failureResultOf(fetching, SourceError).value
        return error

    def assertHad(self, fetched: FetchedFile, body: bytes = BODY) -> None:
        """Check that a file is complete, and that only its record is beside it."""
        self.assertEqual(fetched.path.read_bytes(), body)
        self.assertEqual(fetched.state, hashlib.sha256(body).hexdigest())
        self.assertEqual({path.suffix for path in self.folder.iterdir()}, {".json", fetched.path.suffix})

    def assertNothing(self) -> None:
        """Check that there is neither a file nor a part of one."""
        self.assertEqual(list(self.folder.iterdir()), [])


def whole(body: bytes = BODY, **headers: str) -> Told:
    """Return a complete response."""
    return told(200, body, **headers)
