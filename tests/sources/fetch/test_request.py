"""Tests for :mod:`patches.sources.fetch.request`: failing servers, and redirects."""

from __future__ import annotations

from OpenSSL.SSL import Error as TLSError
from service_identity.exceptions import VerificationError
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import ResponseNeverReceived
from twisted.web.http import datetimeToString

from patches.errors import NotThere, SourceError
from patches.sources.fetch.retry import TransientFailure, raise_failure
from tests.sources.download_case import BODY, NOW, URL, DownloadCase, whole
from tests.sources.memory_web import Told, told

PART = 4000


class TroubleTests(DownloadCase):
    """Servers that are busy, slow, or unreachable."""

    def test_statuses_that_pass(self) -> None:
        """A busy or failing server is asked again after pauses that double."""
        self.assertHad(self.fetch(told(429), told(503), told(500), told(599), whole()))
        self.assertEqual(self.clock.seconds(), 1000 + 1 + 2 + 4 + 8)

    def test_statuses_that_stay(self) -> None:
        """Any other status is an error at once, which contains the status and the URL."""
        for status in (204, 206, 304, 400, 401, 404, 416):
            self.web.asked.clear()
            self.assertEqual(self.refused(told(status)), f"{URL}: it answered {status}")
            self.assertEqual(len(self.web.asked), 1)
        self.assertNothing()

    def test_not_there(self) -> None:
        """A file that the server does not have is distinguished from one that it refuses."""
        there = {status: not isinstance(self.refusal(told(status)), NotThere) for status in (400, 401, 403, 404, 410)}
        self.assertEqual([status for status in there if not there[status]], [404, 410])
        self.assertNotIsInstance(self.refusal(told(503)), NotThere)

    def test_given_up(self) -> None:
        """After the last try the request fails."""
        self.assertEqual(self.refused(told(503)), f"{URL}: it answered 503 (asked 5 times)")
        self.assertEqual(len(self.web.asked), 5)

    def test_retry_after(self) -> None:
        """The pause that a server asks for is kept; one that is too long ends the download."""
        self.assertHad(self.fetch(told(429, Retry_After="50"), whole()))
        self.assertEqual(self.clock.seconds(), 1050)
        date = {"Date": "Fri, 20 Nov 2026 06:00:00 GMT", "Retry-After": "Fri, 20 Nov 2026 06:01:00 GMT"}
        self.fetch(told(503, **date), whole())
        self.assertEqual(self.clock.seconds(), 1110)
        self.fetch(told(503, Retry_After=datetimeToString(NOW + 20).decode()), whole())
        self.assertEqual(self.clock.seconds(), 1130)
        self.assertIn("and asks for a pause of 3600 s", self.refused(told(429, Retry_After="3600")))

    def test_silence(self) -> None:
        """A server that sends nothing for a minute, before or during its response, is asked again."""
        rest = told(206, BODY[PART:], Content_Range=f"bytes {PART}-{len(BODY) - 1}/{len(BODY)}")
        self.answers = [Told(b""), told(200, BODY[:PART], Content_Length=str(len(BODY)), ETag='"one"'), rest]
        fetching = self.begin()
        self.clock.advance(59)
        self.assertEqual(len(self.web.asked), 1)
        self.finish(fetching)
        self.assertHad(self.successResultOf(fetching))
        self.assertEqual(self.clock.seconds(), 1000 + 60 + 1 + 60 + 2)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_slow_but_alive(self) -> None:
        """As long as data arrives there is no time-out."""
        self.answers = [told(200, BODY[:10], Content_Length=str(len(BODY)))]
        fetching = self.begin()
        for first in range(10, len(BODY), 1024):
            self.clock.advance(59)
            self.web.push(BODY[first : first + 1024])
        self.assertHad(self.successResultOf(fetching))

    def test_url_is_shown_without_password(self) -> None:
        """An error does not contain the secrets of a URL."""
        self.assertEqual(
            self.refused(told(404), url="https://user:secret@feeds.test/a"), "https://feeds.test/a: it answered 404"
        )


class RedirectTests(DownloadCase):
    """Files at another URL."""

    def redirect(self, location: str, status: int = 302) -> Told:
        """Return a redirect."""
        return told(status, b"<a>moved</a>", Location=location)

    def test_followed(self) -> None:
        """A redirect is followed, a relative one too; the file is stored under the configured URL."""
        to = self.redirect("/mirror/all.zip", 301), self.redirect("https://cdn.test/x y?sig=%2B"), whole()
        self.assertHad(self.fetch(*to))
        self.assertEqual(
            [asked.url for asked in self.web.asked],
            [URL, "https://feeds.test/mirror/all.zip", "https://cdn.test/x%20y?sig=%2B"],
        )

    def test_loop(self) -> None:
        """An endless redirect is given up after five."""
        self.assertEqual(self.refused(self.redirect(URL)), f"{URL}: is redirected more than 5 times")
        self.assertEqual(len(self.web.asked), 6)

    def test_downgrade(self) -> None:
        """A redirect from https to http is refused, and no request is sent to it."""
        message = self.refused(self.redirect("http://me:secret@feeds.test/all.zip"))
        self.assertEqual(message, f"{URL}: is redirected from https to http: http://feeds.test/all.zip")
        self.assertEqual(len(self.web.asked), 1)

    def test_nowhere(self) -> None:
        """A redirect to something that is not a web server is refused."""
        for location in ("file:///etc/passwd", "https://[", "https://x:99999/", "ftp://feeds.test/"):
            self.assertIn("not a URL of a web server", self.refused(self.redirect(location)))

    def test_headers(self) -> None:
        """The configured headers are sent to the configured server only, not to others that it redirects to."""
        headers = {"Authorization": "Bearer secret", "Range": "bytes=0-1"}
        to = (self.redirect("/b"), self.redirect("https://feeds.test:8443/c"), self.redirect("https://cdn.test/d"))
        self.fetch(*to, self.redirect("https://feeds.test/e"), whole(), headers=headers)
        sent = [asked.headers.get("authorization") for asked in self.web.asked]
        self.assertEqual(sent, ["Bearer secret", "Bearer secret", None, None, "Bearer secret"])

    def test_validators_are_sent_on(self) -> None:
        """The conditions are sent to the target of a redirect."""
        self.fetch(self.redirect("https://cdn.test/d"), whole(ETag='"one"'))
        self.fetch(self.redirect("https://cdn.test/d"), told(304))
        self.assertEqual(self.web.asked[-1].headers["if-none-match"], '"one"')


class FailureTests(SynchronousTestCase):
    """Why a request failed, and whether another try may succeed."""

    def test_certificates(self) -> None:
        """A certificate of another name, or one that is not trusted, ends the download; other TLS errors may pass."""
        untrusted = TLSError([("SSL routines", "", "certificate verify failed")])
        for reason, message in (
            (VerificationError(errors=[]), "its certificate is for another name"),
            (
                untrusted,
                "its certificate is not trusted: no authority that is trusted here has issued it, or it is not valid",
            ),
        ):
            never = ResponseNeverReceived([Failure(reason)])
            error = self.assertRaises(SourceError, raise_failure, never, "https://feeds.test/a")
            self.assertIn(message, str(error))
        broken = ResponseNeverReceived([Failure(TLSError([("SSL routines", "", "unexpected eof while reading")]))])
        self.assertRaises(TransientFailure, raise_failure, broken, "https://feeds.test/a")
