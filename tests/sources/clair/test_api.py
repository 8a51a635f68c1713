"""Tests for :mod:`patches.sources.clair.api`: a failing Clair, and servers that are not Clair."""

from __future__ import annotations

from collections.abc import Callable

from patches.errors import ListChanged, PlatformNotListed, SourceError
from patches.sources.clair.api import MAX_DETAILS_BYTES, MAX_LIST_BYTES
from patches.testing import Trouble
from tests.sources.clair.test_listing import details_of, page_of
from tests.sources.clair_in_memory import MemoryCase, Scripted, named

NOT_FOUND = b'{"Error":{"Message":"the resource cannot be found"}}\n'


class TroubleTests(MemoryCase):
    """A Clair that fails."""

    def setUp(self) -> None:
        super().setUp()
        self.double.load("debian:9", named("a", "b", "c"))

    def test_passing(self) -> None:
        """A transient failure of any request is retried."""
        for trouble in Trouble:
            for kind in ("list", "details"):
                self.double.fail(trouble, 2, kind)
                reading = self.reading(self.source().listing("debian-9"))
                self.pass_time(30)
                self.assertEqual(len(self.successResultOf(reading)), 3, (trouble, kind))

    def test_lasting(self) -> None:
        """
        A lasting failure is an error in the end, never a short list, and the message contains no internal address.
        """
        for trouble in Trouble:
            for kind in ("list", "details"):
                self.double.fail(trouble, None, kind)
                message = self.refusal(self.source(tries=3).listing("debian-9"), SourceError)
                self.assertIn("asked 3 times", message)
                self.assertNotIn("192.0.2.55", message)
                self.assertNotIn("dial", message)
                self.double.mend()

    def test_lasting_at_the_second_page(self) -> None:
        """A failure between two pages is not the end of the list."""
        reading = self.reading(self.source(page_size=2, tries=2, rate=1.0).listing("debian-9"))
        self.pass_time(2)
        self.double.fail(Trouble.DATABASE, None, "list")
        self.pass_time(20)
        self.failureResultOf(reading, SourceError)

    def test_platforms(self) -> None:
        """Requests for namespaces are retried too."""
        self.double.fail(Trouble.DATABASE_DOWN, 1)
        asking = self.deferred(self.source().platforms())
        self.pass_time(2)
        self.assertEqual(self.successResultOf(asking), ["debian-9"])
        self.double.fail(Trouble.DATABASE_DOWN, None)
        asking = self.deferred(self.source().platforms())
        self.pass_time(200)
        self.assertNotIn("192.0.2.55", self.message(self.failureResultOf(asking, SourceError)))

    def test_silent(self) -> None:
        """A request that times out is retried, and given up in the end."""
        self.double.delay = 1000
        reading = self.reading(self.source(tries=2, timeout_seconds=20.0).listing("debian-9"))
        self.pass_time(19)
        self.assertEqual(self.double.requests["list"], 1)
        self.pass_time(5)
        self.assertEqual(self.double.requests["list"], 2)
        self.pass_time(20)
        message = self.message(self.failureResultOf(reading, SourceError))
        self.assertIn("did not answer within 20 s", message)
        self.assertEqual(self.double.under_way, 0)


class ImpostorTests(MemoryCase):
    """Responses that no Clair sends, or only at a wrong URL."""

    def refused(self, answer: Callable[[str], tuple[int, bytes]]) -> str:
        """Read a list from a server with these responses. Return the message of the error."""
        self.resource = Scripted(answer)
        reading = self.reading(self.source(tries=2).listing("debian-9"))
        self.pass_time(10)
        failure = self.failureResultOf(reading, SourceError)
        self.assertFalse(failure.check(PlatformNotListed, ListChanged))
        message = self.message(failure)
        self.assertIn("http://clair.test:6060", message)
        return message

    def details_refused(self, status: int, body: bytes) -> str:
        """Read a list of one vulnerability, with this response for its details. Return the message of the error."""
        return self.refused(lambda target: page_of("a") if "limit" in target else (status, body))

    def test_wrong_base_url(self) -> None:
        """A 404 that is not Clair's means that the base URL is wrong, not that the platform does not exist."""
        self.assertIn("base URL", self.refused(lambda target: (404, b"404 page not found\n")))

    def test_base_url_with_its_version(self) -> None:
        """A base URL that ends in ``/v1`` is wrong too."""
        self.double.load("debian:9", named("a"))
        message = self.refusal(self.source("http://clair.test/v1").listing("debian-9"), SourceError)
        self.assertIn("without its /v1", message)

    def test_text_404_of_details(self) -> None:
        """A 404 of details that is not Clair's does not mean that the vulnerability is gone."""
        self.details_refused(404, b"404 page not found\n")

    def test_json_404_of_namespaces(self) -> None:
        """A 404 for the namespaces is an error, as a Clair always has namespaces."""
        self.resource = Scripted(lambda target: (404, NOT_FOUND))
        self.failureResultOf(self.deferred(self.source().platforms()), SourceError)

    def test_redirect(self) -> None:
        """A redirect is not followed; it is an error, at once."""
        for status in (301, 302, 307, 308):
            self.assertIn("redirect", self.refused(lambda target, status=status: (status, b"")))  # type: ignore[misc]
            self.assertEqual(len(self.resource.targets), 1)
            self.assertIn("redirect", self.details_refused(status, b""))

    def test_other_statuses(self) -> None:
        """Any other status is an error, at once, whatever the body contains."""
        for status in (204, 206, 401, 403, 405, 410, 418, 501):
            message = self.details_refused(status, b"" if status == 204 else details_of("10.1.2.3"))
            self.assertIn(str(status), message)
            self.assertNotIn("10.1.2.3", message)
            self.assertEqual(len(self.resource.targets), 2)

    def test_malformed(self) -> None:
        """A body that is not Clair's JSON is an error, never an empty list or an unaffected vulnerability."""
        for body in (b"", b"<html>", b"{}", b"null", b'{"Vulnerabilities":[', b'{"Vulnerability":{"Name":"b"}}'):
            self.assertIn("not Clair's", self.refused(lambda target, body=body: (200, body)))  # type: ignore[misc]
            self.assertIn("not Clair's", self.details_refused(200, body))

    def test_too_long(self) -> None:
        """A response that is too long is given up, and not requested again."""
        self.assertIn("longer", self.refused(lambda target: (200, b" " * (MAX_LIST_BYTES + 1))))
        self.assertEqual(len(self.resource.targets), 1)
        self.assertIn("longer", self.details_refused(200, b" " * (MAX_DETAILS_BYTES + 1)))
        self.assertEqual(len(self.resource.targets), 2)

    def test_long(self) -> None:
        """A response of exactly the longest length is accepted."""
        status, page = page_of("a")
        self.resource = Scripted(
            lambda target: (
                (status, page.ljust(MAX_LIST_BYTES))
                if "limit" in target
                else (200, details_of("a").ljust(MAX_DETAILS_BYTES))
            )
        )
        self.assertEqual(len(self.read(self.source().listing("debian-9"))), 1)

    def test_compression(self) -> None:
        """Lists are requested with compression, details without, on a single header line."""
        self.resource = Scripted(lambda target: page_of("a") if "limit" in target else (200, details_of("a")))
        self.read(self.source().listing("debian-9"))
        self.assertEqual(self.resource.encodings, [["gzip"], ["identity"], ["gzip"], ["identity"]])

    def test_unfit_names(self) -> None:
        """A name with line feeds does not break the line of the message."""
        self.refused(lambda target: page_of("a\nb") if "limit" in target else (418, b""))
