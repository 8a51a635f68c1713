"""Reports are sent in order until they are accepted, whatever errors the reporter API has."""

from __future__ import annotations

import errno
import gzip
import json
from io import BufferedReader
from pathlib import Path

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.client.http_client import HttpClient
from patches.scanner.reporting.delivery import MOST_IN_MEMORY, Delivery
from patches.scanner.reporting.outbox import Outbox
from tests.scanner.scripted_client import REFUSED, Canned, CannedHTTP, error

OK = Canned(200, b"")


class DeliveryTests(SynchronousTestCase):
    """An outbox with three reports, and a reporter API with scripted responses."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.folder = Path(self.mktemp())
        self.outbox = Outbox(self.folder)
        for _ in range(3):
            self.outbox.put(lambda number: {"number": number})

    def delivery(self, *answers: Canned | BaseException) -> Delivery:
        """Create a delivery."""
        self.http = CannedHTTP(*answers)
        reporter_http = HttpClient(self.http, "http://reporter/v1/reports", self.clock, 1000)
        return Delivery(self.outbox, reporter_http, self.clock, jitter=lambda: 0.0)

    def tick(self, delivery: Delivery) -> None:
        """Run the due part of the delivery."""
        self.successResultOf(ensureDeferred(delivery.tick()))

    def sent(self) -> list[int]:
        """Return the numbers of the reports that were sent."""
        return [asked.document["number"] for asked in self.http.asked]

    def test_all(self) -> None:
        """All pending reports are sent, the oldest first, and removed once they are accepted."""
        self.tick(self.delivery(OK, Canned(204), Canned(202)))
        self.assertEqual(self.sent(), [1, 2, 3])
        self.assertEqual(self.http.asked[0].url, "http://reporter/v1/reports")
        self.assertEqual(self.outbox.pending(), [])

    def test_too_large(self) -> None:
        """A report that is too large is sent again compressed, before it is set aside."""
        large = error(413, "too-large")
        self.tick(self.delivery(large, OK, large, large, OK))
        packed = self.http.asked[1]
        self.assertIs(packed.kind, BufferedReader)  # treq takes no other file
        self.assertEqual(packed.fields["Content-Encoding"], "gzip")
        self.assertEqual([json.loads(gzip.decompress(packed.body or b""))["number"], len(self.http.asked)], [1, 5])
        self.assertEqual(self.outbox.pending(), [])
        self.assertEqual(len(list((self.folder / "rejected").iterdir())), 1)

    def test_down(self) -> None:
        """A reporter that is down costs nothing: pauses double, and every report arrives in the end, in order."""
        delivery = self.delivery(REFUSED, error(500, "broken"), OK, OK, OK)
        self.tick(delivery)
        self.clock.advance(4.9)
        self.tick(delivery)
        self.assertEqual(self.sent(), [1])
        self.clock.advance(0.2)
        self.tick(delivery)
        self.clock.advance(5.1)
        self.tick(delivery)
        self.assertEqual(self.sent(), [1, 1])
        self.clock.advance(5.0)
        self.tick(delivery)
        self.assertEqual(self.sent(), [1, 1, 1, 2, 3])
        self.assertEqual(self.outbox.pending(), [])

    def test_restart(self) -> None:
        """A report that was not accepted is sent after a restart."""
        self.tick(self.delivery(OK, REFUSED))
        self.outbox = Outbox(self.folder)
        self.tick(self.delivery(OK, OK))
        self.assertEqual(self.sent(), [2, 3])

    def test_redirect(self) -> None:
        """Only 2xx means acceptance; a redirect, or a page of another server, does not."""
        for code in (301, 302, 404, 401, 503):
            delivery = self.delivery(Canned(code, b"<html>"))
            self.assertIn(str(code), self.successResultOf(ensureDeferred(delivery.send_all())) or "")
            self.assertEqual(len(self.outbox.pending()), 3)

    def test_retry_after(self) -> None:
        """The pause that the reporter asks for is obeyed."""
        delivery = self.delivery(error(503, "busy", Retry_After="120"), OK, OK, OK)
        self.tick(delivery)
        self.clock.advance(119)
        self.tick(delivery)
        self.assertEqual(len(self.http.asked), 1)
        self.clock.advance(2)
        self.tick(delivery)
        self.assertEqual(self.outbox.pending(), [])

    def test_rejected(self) -> None:
        """A report that will never be accepted does not delay the others, and is not deleted."""
        delivery = self.delivery(error(400, "malformed"), OK, OK)
        self.tick(delivery)
        self.assertIn("(status 400)", str(delivery.rejected))
        self.assertEqual(self.sent(), [1, 2, 3])
        self.assertEqual([path.name for path in (self.folder / "rejected").iterdir()], ["0000000001.json"])

    def test_silence(self) -> None:
        """A reporter that never answers does not block a report forever."""
        sending: Deferred[str | None] = ensureDeferred(self.delivery().send_all())
        self.assertNoResult(sending)
        self.clock.advance(31)
        self.assertIn("did not answer", self.successResultOf(sending) or "")

    def test_large(self) -> None:
        """A large report is sent from its file, in pieces; a small one from memory."""
        for path in self.outbox.pending():
            self.outbox.accepted(path)
        for size in (MOST_IN_MEMORY, 10):
            self.outbox.put(lambda number, size=size: {"text": "x" * size})  # type: ignore[misc]
        delivery = self.delivery(OK, OK)
        self.tick(delivery)
        large, small = (asked.kind for asked in self.http.asked)
        self.assertEqual((large, small), (BufferedReader, bytes))  # of a file, treq has a producer
        self.assertEqual(self.outbox.pending(), [])

    def test_cannot_be_removed(self) -> None:
        """Reports that cannot be removed, on a disk that is read-only, are not sent again, and are removed later."""
        delivery = self.delivery(OK, error(400, "malformed"), OK)
        removed = [False]

        def remove(path: Path) -> None:
            if not removed[0]:
                raise OSError(errno.EROFS, "Read-only file system", str(path))
            Outbox.accepted(self.outbox, path)

        self.patch(self.outbox, "accepted", remove)
        self.patch(self.outbox, "reject", remove)
        for _ in range(3):
            self.tick(delivery)
        self.assertEqual((self.sent(), len(self.outbox.pending())), ([1, 2, 3], 3))
        removed[0] = True
        self.tick(delivery)
        self.assertEqual((self.sent(), self.outbox.pending()), ([1, 2, 3], []))

    def test_unreadable(self) -> None:
        """A report that cannot be read now, on a broken disk, is sent later."""
        delivery = self.delivery(OK, OK, OK)

        def is_whole(path: Path) -> bool:
            raise OSError(errno.EIO, "Input/output error", str(path))

        patched = self.patch(self.outbox, "is_whole", is_whole)
        self.tick(delivery)
        self.assertEqual(self.sent(), [])
        patched.restore()
        self.clock.advance(5)
        self.tick(delivery)
        self.assertEqual((self.sent(), self.outbox.pending()), ([1, 2, 3], []))
