"""Tests for :mod:`patches.sources.fetch.download`: transfers that break, and are resumed."""

from __future__ import annotations

import base64
import os
from hashlib import md5
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.web.http_headers import Headers

from patches.sources.fetch.headers import ContentRange
from tests.sources.download_case import BODY, URL, DownloadCase, whole
from tests.sources.memory_web import Asked, Told, told

CUT = 4000


def cut(body: bytes = BODY, at: int = CUT, **headers: str) -> Told:
    """Return a response whose connection is lost in the middle of its body."""
    return told(200, body[:at], closes=True, Content_Length=str(len(body)), **headers)


def rest(body: bytes = BODY, first: int = CUT, **headers: str) -> Told:
    """Return the response with the bytes after the first ones."""
    return told(206, body[first:], Content_Range=f"bytes {first}-{len(body) - 1}/{len(body)}", **headers)


class ResumeTests(DownloadCase):
    """Files that arrive in parts."""

    def ranges(self) -> list[tuple[str | None, str | None]]:
        """Return the ranges that were requested."""
        return [(asked.headers.get("range"), asked.headers.get("if-range")) for asked in self.web.asked]

    def test_cut(self) -> None:
        """A broken transfer is resumed where it broke off, and the checksum is that of the whole file."""
        headers = {"ETag": '"one"', "Content-MD5": base64.b64encode(md5(BODY).digest()).decode()}
        self.assertHad(self.fetch(cut(**headers), rest()))
        self.assertEqual(self.ranges(), [(None, None), (f"bytes={CUT}-", '"one"')])

    def test_cut_again_and_again(self) -> None:
        """Each try resumes the one before."""
        second = told(206, BODY[CUT:5000], closes=True,
                      Content_Length=str(len(BODY) - CUT),
                      Content_Range=f"bytes {CUT}-{len(BODY) - 1}/{len(BODY)}")  # fmt: skip
        self.assertHad(self.fetch(cut(ETag='"one"'), second, rest(first=5000)))
        self.assertEqual(self.ranges()[2], ("bytes=5000-", '"one"'))

    def test_rest_that_is_short(self) -> None:
        """A range that ends before its announced end is resumed in turn."""
        short = told(206, BODY[CUT:5000], Content_Range=f"bytes {CUT}-{len(BODY) - 1}/{len(BODY)}")
        self.assertHad(self.fetch(cut(ETag='"one"'), short, rest(first=5000)))
        self.assertEqual([asked for asked, _ in self.ranges()], [None, f"bytes={CUT}-", "bytes=5000-"])

    def test_next_process(self) -> None:
        """The next process resumes the partial file of the one before."""
        message = self.refused(cut(ETag='"one"'), tries=1)
        self.assertEqual(message, f"{URL}: it closed the connection before the end of its answer (asked once)")
        self.assertHad(self.fetch(rest(ETag='"one"'), tries=1))

    def test_changed_meanwhile(self) -> None:
        """A file that changed in the meantime is downloaded again; it contains nothing of the old one."""
        self.assertHad(self.fetch(cut(ETag='"one"'), whole(BODY[::-1], ETag='"two"')), BODY[::-1])
        self.assertEqual(len(self.web.asked), 2)

    def test_weak_validators(self) -> None:
        """Without a strong validator a range may not belong to the partial file: the file is downloaded again."""
        for headers in ({}, {"ETag": 'W/"one"'}, {"Last-Modified": "Fri, 20 Nov 2026 06:00:00 GMT"}):
            self.web.asked.clear()
            self.assertHad(self.fetch(cut(**headers), whole(**headers)))
            self.assertEqual(self.ranges()[1], (None, None))
            self.fetch(whole()).path.unlink()

    def test_useless_rests(self) -> None:
        """A range of another position, length or file, or an error, is not used: the file is downloaded again."""
        useless = [
            told(416),
            told(206, BODY[CUT:]),
            rest(first=CUT - 1),
            rest(first=CUT + 1),
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
        """A resumed file with a wrong checksum may have a damaged part: it is downloaded again, once."""
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
        """A partial file that is missing, empty, or as long as the file is not resumed."""
        for length in (None, 0, len(BODY)):
            self.refused(cut(ETag='"one"'), tries=1)
            (part,) = self.folder.glob("*.part")
            part.unlink() if length is None else os.truncate(part, length)
            self.web.asked.clear()
            self.fetch(whole(ETag='"one"')).path.unlink()
            self.assertEqual(self.ranges(), [(None, None)])

    def test_renewed_in_parts(self) -> None:
        """A newer file is resumed too, and the older one stays until it is complete."""
        old = self.fetch(whole(b"old", ETag='"old"'))
        self.refused(cut(ETag='"one"'), tries=1)
        self.assertEqual(old.path.read_bytes(), b"old")
        self.assertHad(self.fetch(rest()))

    @given(st.lists(st.tuples(st.sampled_from(["cut", "trouble", "changed"]), st.integers(0, 99)), max_size=4))
    @settings(max_examples=60, deadline=None)
    def test_whatever_happens(self, troubles: list[tuple[str, int]]) -> None:
        """After any sequence of failures and changes, the result is a file that the server had, complete."""
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


class RangeTests(DownloadCase):
    """``Content-Range``."""

    @given(st.integers(0, 10**18), st.integers(0, 10**18), st.integers(0, 10**18))
    def test_written_and_read(self, first: int, more: int, behind: int) -> None:
        """A formatted range is parsed."""
        last, total = first + more, first + more + behind + 1
        answer = told(206, Content_Range=f"bytes {first}-{last}/{total}").data
        self.assertIn(b"content-range: bytes ", answer)
        self.assertEqual(self.read(f"bytes {first}-{last}/{total}"), ContentRange(first, last, total))

    def test_unusable(self) -> None:
        """A range without a total length, or an impossible one, is ignored."""
        for text in ("", "bytes */10", "bytes 0-1/*", "bytes 2-1/10", "bytes 0-10/10", "items 0-1/2", "bytes 0-1/2x"):
            self.assertIsNone(self.read(text), text)

    def read(self, text: str) -> ContentRange | None:
        """Parse a header."""
        return ContentRange.from_headers(Headers({"Content-Range": [text]}))
