"""Tests for :mod:`patches.sources.download`: transfers that break, and servers in trouble."""

from __future__ import annotations

import base64
import os
from hashlib import md5
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from patches.sources.transfer_headers import ContentRange
from tests.sources.downloading import BODY, URL, DownloadCase, whole
from tests.sources.wires import Asked, Told, told

CUT = 4000


def cut(body: bytes = BODY, at: int = CUT, **headers: str) -> Told:
    """An answer whose connection is lost in the middle of its body."""
    return told(200, body[:at], closes=True, Content_Length=str(len(body)), **headers)


def rest(body: bytes = BODY, first: int = CUT, **headers: str) -> Told:
    """What is behind the first bytes."""
    return told(206, body[first:], Content_Range=f"bytes {first}-{len(body) - 1}/{len(body)}", **headers)


class ResumeTests(DownloadCase):
    """Files that come in parts."""

    def ranges(self) -> list[tuple[str | None, str | None]]:
        """Tell what was asked for."""
        return [(asked.headers.get("range"), asked.headers.get("if-range")) for asked in self.web.asked]

    def test_cut(self) -> None:
        """A broken transfer is continued where it broke off, and the whole is compared with its checksum."""
        headers = {"ETag": '"one"', "Content-MD5": base64.b64encode(md5(BODY).digest()).decode()}
        self.assertHad(self.fetch(cut(**headers), rest()))
        self.assertEqual(self.ranges(), [(None, None), (f"bytes={CUT}-", '"one"')])

    def test_cut_again_and_again(self) -> None:
        """Each try continues what the one before has left."""
        second = told(206, BODY[CUT:5000], closes=True,
                      Content_Length=str(len(BODY) - CUT),
                      Content_Range=f"bytes {CUT}-{len(BODY) - 1}/{len(BODY)}")  # fmt: skip
        self.assertHad(self.fetch(cut(ETag='"one"'), second, rest(first=5000)))
        self.assertEqual(self.ranges()[2], ("bytes=5000-", '"one"'))

    def test_next_process(self) -> None:
        """What one process had of a file, the next one continues."""
        message = self.refused(cut(ETag='"one"'), tries=1)
        self.assertEqual(message, f"{URL}: it closed the connection before the end of its answer, and was asked once")
        self.assertHad(self.fetch(rest(ETag='"one"'), tries=1))

    def test_changed_meanwhile(self) -> None:
        """A file that has changed since is had anew; nothing of the old one is in it."""
        self.assertHad(self.fetch(cut(ETag='"one"'), whole(BODY[::-1], ETag='"two"')), BODY[::-1])
        self.assertEqual(len(self.web.asked), 2)

    def test_weak_validators(self) -> None:
        """Without a strong validator nothing tells that a rest belongs to the part: it is had anew."""
        for headers in ({}, {"ETag": 'W/"one"'}, {"Last-Modified": "Fri, 20 Nov 2026 06:00:00 GMT"}):
            self.web.asked.clear()
            self.assertHad(self.fetch(cut(**headers), whole(**headers)))
            self.assertEqual(self.ranges()[1], (None, None))
            self.fetch(whole()).path.unlink()

    def test_useless_rests(self) -> None:
        """A rest that is of another place, length or file, or is refused, is not used: the file is had anew."""
        useless = [
            told(416),
            told(206, BODY[CUT:]),
            rest(first=CUT - 1),
            rest(BODY + b"more"),
            rest(ETag='"two"'),
            told(206, BODY[CUT:5000], Content_Range=f"bytes {CUT}-4999/{len(BODY)}"),
        ]
        for answer in useless:
            self.web.asked.clear()
            fetched = self.fetch(cut(ETag='"one"'), answer, whole())
            self.assertHad(fetched)
            self.assertEqual(self.ranges(), [(None, None), (f"bytes={CUT}-", '"one"'), (None, None)])

    def test_part_that_was_damaged(self) -> None:
        """A continued file whose checksum is wrong may have a damaged part: it is had anew, once."""
        headers = {"ETag": '"one"', "Content-MD5": base64.b64encode(md5(BODY).digest()).decode()}
        self.refused(cut(**headers), tries=1)
        (part,) = self.folder.glob("*.part")
        part.write_bytes(bytes(CUT))
        self.assertHad(self.fetch(rest(), whole(**headers)))
        self.refused(cut(**headers), tries=1)
        (part,) = self.folder.glob("*.part")
        part.write_bytes(bytes(CUT))
        self.assertIn("checksum", self.refused(rest(), whole(BODY[::-1], **headers)))

    def test_part_that_is_gone(self) -> None:
        """A part that is gone, empty, or as long as the file already is not continued."""
        for length in (None, 0, len(BODY)):
            self.refused(cut(ETag='"one"'), tries=1)
            (part,) = self.folder.glob("*.part")
            part.unlink() if length is None else os.truncate(part, length)
            self.web.asked.clear()
            self.fetch(whole(ETag='"one"')).path.unlink()
            self.assertEqual(self.ranges(), [(None, None)])

    def test_renewed_in_parts(self) -> None:
        """The newer of two files is continued too, and the older one is here until it is whole."""
        old = self.fetch(whole(b"old", ETag='"old"'))
        self.refused(cut(ETag='"one"'), tries=1)
        self.assertEqual(old.path.read_bytes(), b"old")
        self.assertHad(self.fetch(rest()))

    @given(st.lists(st.tuples(st.sampled_from(["cut", "trouble", "changed"]), st.integers(0, 99)), max_size=4))
    @settings(max_examples=60, deadline=None)
    def test_whatever_happens(self, troubles: list[tuple[str, int]]) -> None:
        """However often it breaks and changes, what is had is one of the files that the server had, whole."""
        self.setUp()
        body, left = bytearray(b"first " * 20), list(troubles)

        def serve(asked: Asked) -> Told:
            kind, number = left.pop() if left else ("", 0)
            if kind == "trouble":
                return told(503)
            if kind == "changed":
                body[:] = bytes([number]) * (number + 30)
            etag = f'"{hash(bytes(body))}"'
            first = int(asked.headers.get("range", "bytes=0-")[6:-1]) if asked.headers.get("if-range") == etag else 0
            if first >= len(body):
                return told(416)
            about: dict[str, Any] = {"ETag": etag, "Content-Length": str(len(body) - first)}
            if first:
                about["Content-Range"] = f"bytes {first}-{len(body) - 1}/{len(body)}"
            sent = bytes(body[first : first + number]) if kind == "cut" else bytes(body[first:])
            return told(206 if first else 200, sent, closes=kind == "cut", **about)

        self.answer = serve  # type: ignore[method-assign]
        self.web._answer = serve
        self.assertHad(self.fetch(), bytes(body))


class TroubleTests(DownloadCase):
    """Servers that are busy, slow, or gone."""

    def test_statuses_that_pass(self) -> None:
        """A busy server, and one in trouble, is asked again after pauses that double."""
        self.assertHad(self.fetch(told(429), told(503), told(500), told(599), whole()))
        self.assertEqual(self.clock.seconds(), 1_800_000_000 + 1 + 2 + 4 + 8)

    def test_statuses_that_stay(self) -> None:
        """Any other status is an error at once, that names it and the URL."""
        for status in (204, 206, 304, 400, 401, 404, 416):
            self.web.asked.clear()
            self.assertEqual(self.refused(told(status)), f"{URL}: it answered {status}")
            self.assertEqual(len(self.web.asked), 1)
        self.assertNothing()

    def test_given_up(self) -> None:
        """After the last try that was it."""
        self.assertEqual(self.refused(told(503)), f"{URL}: it answered 503, and was asked 5 times")
        self.assertEqual(len(self.web.asked), 5)

    def test_retry_after(self) -> None:
        """A server that says when to ask again is not asked before; one that wants too much is given up."""
        self.assertHad(self.fetch(told(429, Retry_After="50"), whole()))
        self.assertEqual(self.clock.seconds(), 1_800_000_050)
        date = {"Date": "Fri, 20 Nov 2026 06:00:00 GMT", "Retry-After": "Fri, 20 Nov 2026 06:01:00 GMT"}
        self.fetch(told(503, **date), whole())
        self.assertEqual(self.clock.seconds(), 1_800_000_110)
        self.assertIn("and wants not to be asked for 3600 s", self.refused(told(429, Retry_After="3600")))

    def test_silence(self) -> None:
        """A server that sends nothing for a minute, before its answer or in it, is asked again."""
        self.answers = [Told(b""), told(200, BODY[:CUT], Content_Length=str(len(BODY)), ETag='"one"'), rest()]
        fetching = self.begin()
        self.clock.advance(59)
        self.assertEqual(len(self.web.asked), 1)
        self.finish(fetching)
        self.assertHad(self.successResultOf(fetching))
        self.assertEqual(self.clock.seconds(), 1_800_000_000 + 60 + 1 + 60 + 2)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_slow_but_alive(self) -> None:
        """As long as something comes there is no limit of time."""
        self.answers = [told(200, BODY[:10], Content_Length=str(len(BODY)))]
        fetching = self.begin()
        for first in range(10, len(BODY), 1024):
            self.clock.advance(59)
            self.web.push(BODY[first : first + 1024])
        self.assertHad(self.successResultOf(fetching))

    def test_url_is_shown_without_password(self) -> None:
        """An error does not tell what is secret in a URL."""
        self.assertEqual(
            self.refused(told(404), url="https://user:secret@feeds.test/a"), "https://feeds.test/a: it answered 404"
        )


class RedirectTests(DownloadCase):
    """Files that are elsewhere."""

    def redirect(self, location: str, status: int = 302) -> Told:
        """An answer that leads elsewhere."""
        return told(status, b"<a>moved</a>", Location=location)

    def test_followed(self) -> None:
        """A redirect is followed, relative ones too; the file is that of the URL that was configured."""
        to = self.redirect("/mirror/all.zip", 301), self.redirect("https://cdn.test/x y?sig=%2B"), whole()
        self.assertHad(self.fetch(*to))
        self.assertEqual(
            [asked.url for asked in self.web.asked],
            [URL, "https://feeds.test/mirror/all.zip", "https://cdn.test/x%20y?sig=%2B"],
        )

    def test_loop(self) -> None:
        """A server that redirects on and on is given up after five."""
        self.assertEqual(self.refused(self.redirect(URL)), f"{URL}: is redirected more than 5 times")
        self.assertEqual(len(self.web.asked), 6)

    def test_downgrade(self) -> None:
        """A redirect from https to http is refused, and nothing is asked there."""
        message = self.refused(self.redirect("http://me:secret@feeds.test/all.zip"))
        self.assertEqual(message, f"{URL}: is redirected from https to http: http://feeds.test/all.zip")
        self.assertEqual(len(self.web.asked), 1)

    def test_nowhere(self) -> None:
        """A redirect to what is no web server is refused."""
        for location in ("file:///etc/passwd", "https://[", "https://x:99999/", "ftp://feeds.test/"):
            self.assertIn("no URL of a web server", self.refused(self.redirect(location)))

    def test_headers(self) -> None:
        """The headers of the configuration go to its server, and to no other that it redirects to."""
        headers = {"Authorization": "Bearer secret", "Range": "bytes=0-1"}
        to = (self.redirect("/b"), self.redirect("https://feeds.test:8443/c"), self.redirect("https://cdn.test/d"))
        self.fetch(*to, self.redirect("https://feeds.test/e"), whole(), headers=headers)
        sent = [asked.headers.get("authorization") for asked in self.web.asked]
        self.assertEqual(sent, ["Bearer secret", "Bearer secret", None, None, "Bearer secret"])

    def test_validators_are_sent_on(self) -> None:
        """What tells whether the file has changed is asked where the file is."""
        self.fetch(self.redirect("https://cdn.test/d"), whole(ETag='"one"'))
        self.fetch(self.redirect("https://cdn.test/d"), told(304))
        self.assertEqual(self.web.asked[-1].headers["if-none-match"], '"one"')


class RangeTests(DownloadCase):
    """The header of a rest."""

    @given(st.integers(0, 10**18), st.integers(0, 10**18), st.integers(0, 10**18))
    def test_written_and_read(self, first: int, more: int, behind: int) -> None:
        """What is written is read."""
        last, total = first + more, first + more + behind + 1
        answer = told(206, Content_Range=f"bytes {first}-{last}/{total}").data
        self.assertIn(b"content-range: bytes ", answer)
        self.assertEqual(self.read(f"bytes {first}-{last}/{total}"), ContentRange(first, last, total))

    def test_unusable(self) -> None:
        """What tells no total length, or cannot be, is not there."""
        for text in ("", "bytes */10", "bytes 0-1/*", "bytes 2-1/10", "bytes 0-10/10", "items 0-1/2", "bytes 0-1/2x"):
            self.assertIsNone(self.read(text), text)

    def read(self, text: str) -> ContentRange | None:
        """Read a header."""
        from twisted.web.http_headers import Headers

        return ContentRange.from_headers(Headers({"Content-Range": [text]}))
