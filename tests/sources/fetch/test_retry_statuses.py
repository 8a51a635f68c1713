"""Which HTTP statuses of a source are tried again, and which are final, for requests and for files."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from patches.errors import NotThere, SourceError
from patches.sources.fetch.retry import FetchSettings, RequestFailed, Response, RetryingClient
from tests.sources.download_case import DownloadCase, whole
from tests.sources.fetch.test_retry import FakeClient
from tests.sources.memory_web import told

#: status: whether a request is sent again, whether a file is requested again
STATUSES = {
    200: (False, False),
    204: (False, False),
    301: (False, False),
    304: (False, False),
    400: (False, False),
    401: (False, False),
    403: (False, False),
    404: (False, False),
    408: (False, False),
    410: (False, False),
    428: (False, False),
    429: (True, True),
    430: (False, False),
    499: (False, False),
    500: (True, True),
    501: (False, True),
    502: (True, True),
    503: (True, True),
    504: (True, True),
    505: (False, True),
    599: (False, True),
}


class RequestStatusTests(SynchronousTestCase):
    """The statuses for :class:`RetryingClient`."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.client = FakeClient()

    def test_statuses(self) -> None:
        """
        A final status is returned at once; after any other the request is sent again, and the next response returned.
        """
        for status, (again, _) in STATUSES.items():
            self.client.asked.clear()
            fetcher = RetryingClient(self.client, self.clock, FetchSettings(), lambda: 0.0)
            fetching = Deferred.fromCoroutine(fetcher.get("http://x.test/", 100))
            self.client.answer(status, b"first")
            self.assertEqual(fetching.called, not again, status)
            if again:
                self.clock.advance(1)
                self.client.answer(200, b"second")
            expected = Response(200, b"second") if again else Response(status, b"first")
            self.assertEqual(self.successResultOf(fetching), expected, status)
            self.assertEqual(len(self.client.asked), 2 if again else 1, status)

    def test_given_up(self) -> None:
        """A status that lasts is given up after the last try, and is in the message."""
        for status in (429, 500, 502, 503, 504):
            fetcher = RetryingClient(self.client, self.clock, FetchSettings(tries=2), lambda: 0.0)
            fetching = Deferred.fromCoroutine(fetcher.get("http://x.test/", 100))
            self.client.answer(status)
            self.clock.advance(1)
            self.client.answer(status)
            error = self.failureResultOf(fetching, RequestFailed).value
            self.assertEqual(str(error), f"it answered {status} (asked 2 times)")


class FileStatusTests(DownloadCase):
    """The statuses for a download."""

    def test_statuses(self) -> None:
        """A final status ends the download at once; after any other the file is requested again."""
        for status, (_, again) in STATUSES.items():
            if status in (200, 301):
                continue
            self.web.asked.clear()
            if again:
                self.assertHad(self.fetch(told(status), whole()))
            else:
                error = self.refusal(told(status))
                self.assertIsInstance(error, SourceError)
                self.assertIs(isinstance(error, NotThere), status in (404, 410), status)
            self.assertEqual(len(self.web.asked), 2 if again else 1, status)
