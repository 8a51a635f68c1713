"""Tests for :mod:`patches.server.http.fast_path`: its responses are the same as those of the API."""

from __future__ import annotations

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from patches.server.http import channel
from patches.server.http.fast_path import are_plain, match, match_question
from tests.server.channel_case import ChannelCase
from tests.server.memory_transport import answers, request
from tests.server.server_case import GZIP


class ShortWayTests(ChannelCase):
    """The fast path to a chunk gives the same response as the API."""

    def long_way(self, n: int, path: str = "") -> bytes:
        """Return the response of the API."""
        wire = self.connect()
        wire.send(self.chunk(n, {**GZIP, "X-Long": "way"}, path))
        return wire.received

    def test_same_bytes(self) -> None:
        """The fast path and the API send identical bytes for each chunk, and the same body for the end."""
        for n in range(3):
            long = self.long_way(n)
            wire = self.connect()
            wire.send(self.chunk(n))
            self.assertEqual(wire.received, long)
            self.assertEqual(answers(long)[0].status, 200)
        wire = self.connect()
        wire.send(self.chunk(3))
        self.assertEqual(answers(wire.received)[0].body, answers(self.long_way(3))[0].body)

    def test_switched_off(self) -> None:
        """With the fast path switched off every response is the same."""
        for n in range(3):
            self.site.fast_path = True
            fast = self.connect()
            fast.send(self.chunk(n))
            self.site.fast_path = False
            slow = self.connect()
            slow.send(self.chunk(n))
            self.assertEqual(slow.received, fast.received)

    def test_errors(self) -> None:
        """A chunk that cannot be served gets the same error response as from the API."""
        for path, n in ((self.path, 2), ("/v1/sessions/x", 0), (self.path, 4)):
            wire = self.connect()
            wire.send(self.chunk(n, path=path))
            (short,), (long,) = answers(wire.received), answers(self.long_way(n, path))
            self.assertEqual((short.status, short.body), (long.status, long.body))
            self.assertGreaterEqual(short.status, 400)

    def test_shared(self) -> None:
        """The fast path writes the very bytes that all sessions share, not a copy."""
        token = self.path.rpartition("/")[2]
        self.read(self.path, 0)
        loaded = self.session_service.read_cached(token, 0)
        assert loaded is not None
        self.patch(channel, "can_send_now", lambda transport: True)
        written: list[bytes] = []
        self.patch(channel, "send_now", lambda transport, data: written.append(data) or True)
        self.connect().send(self.chunk(0))
        self.assertIs(written[0], loaded.answer)

    def test_close(self) -> None:
        """A connection is closed after the response if the client asks for that."""
        for value in ("close", "Close"):
            wire = self.connect()
            wire.send(self.chunk(0, {**GZIP, "Connection": value}))
            self.assertEqual((answers(wire.received)[0].status, wire.connected), (200, False))

    def test_nothing_after_close(self) -> None:
        """
        A request after one that closes the connection is not answered, even if it arrives before the response is sent.
        """
        wire = self.connect(takes=0)
        wire.send(self.chunk(0, {**GZIP, "Connection": "close"}))
        wire.send(self.chunk(0))
        wire.take()
        self.assertEqual((len(answers(wire.received)), wire.connected), (1, False))

    def test_old_http(self) -> None:
        """A client of HTTP/1.0 is answered, and its connection is closed."""
        wire = self.connect()
        wire.send(self.chunk(0).replace(b"HTTP/1.1", b"HTTP/1.0"))
        self.assertEqual((answers(wire.received)[0].status, wire.connected), (200, False))


class BoundariesTests(ChannelCase):
    """Requests that arrive in pieces."""

    def setUp(self) -> None:
        super().setUp()
        self.path = self.open("alpine-3.20")
        self.requests = [
            self.chunk(0),
            request("GET", "/health"),
            request("POST", "/v1/sessions", body=json.dumps({"platform": "none-1"}).encode()),
            self.chunk(0, {}),
            self.chunk(9),
            self.chunk(0),
        ]

    def answered(self, *pieces: bytes) -> list[tuple[int, bytes]]:
        """Send pieces on one connection; return the status and body of each response."""
        wire = self.connect()
        for piece in pieces:
            wire.send(piece)
        found = [(answer.status, answer.body) for answer in answers(wire.received)]
        wire.hang_up()
        return found

    def test_every_boundary(self) -> None:
        """The responses are the same wherever a series of requests is split in two."""
        whole = b"".join(self.requests)
        expected = self.answered(*self.requests)
        self.assertEqual([status for status, _ in expected], [200, 200, 404, 200, 409, 200])
        self.assertEqual(self.answered(whole), expected)
        for position in range(1, len(whole)):
            self.assertEqual(self.answered(whole[:position], whole[position:]), expected, position)

    def test_byte_by_byte(self) -> None:
        """The responses are the same if the requests arrive byte by byte."""
        whole = b"".join(self.requests)
        pieces = [whole[position : position + 1] for position in range(len(whole))]
        self.assertEqual(self.answered(*pieces), self.answered(whole))

    def test_half_before(self) -> None:
        """Data that follows half a request belongs to that request."""
        (answer,) = self.answered(b"GET /health HTTP/1.1\r\nHost: x\r\nX: ", b"y\r\n\r\n")
        self.assertEqual(answer[0], 200)
        wire = self.connect()
        wire.send(b"GE")
        wire.send(self.chunk(0))
        self.assertNotIn(b" 200 ", wire.received)

    def test_empty_lines(self) -> None:
        """An empty line before a request is ignored."""
        self.assertEqual([status for status, _ in self.answered(b"\r\n", self.chunk(0))], [200])


#: Header fields that must not be read in two ways, or that no client has a reason to send.
ODD_FIELDS = (
    *(
        b"Content-Length : 40",
        b"Content-Length\t: 40",
        b"Content-Length: 40",
        b"content-length:40",
        b"Content-Length: +40",
    ),
    *(
        b"Content-Length: 40, 40",
        b"Content-Length: 4 0",
        b"Content-Length: 0x28",
        b"Content-Length:",
        b"Content_Length: 40",
    ),
    *(b"Transfer-Encoding\t: chunked", b"Transfer-Encoding: chunked", b"Transfer-Encoding : chunked"),
    *(b"Transfer-Encoding:\x0bchunked", b"Transfer-Encoding: xchunked", b"Transfer-Encoding: identity"),
    *(
        b"User-Agent: a\x00b",
        b"User\x00Agent: a",
        b"User-Agent: a\rContent-Length: 40",
        b"User-Agent: a\nContent-Length: 40",
    ),
    *(b"no colon", b": no name", b"\xffser-Agent: a", b"User-Agent: \xff", b"User Agent: a", b"(User-Agent): a"),
    *(
        b" folded: 1",
        b"\tfolded",
        b"User-Agent: a\r\n folded",
        b"Content-Length:\r\n 40",
        b"Via: 1\r\n\tContent-Length: 40",
    ),
    *(
        b"Host: other",
        b"Host:",
        b"host: patches",
        b"Host: a b",
        b"Host: a,b",
        b"Expect: 100-continue",
        b"Range: bytes=0-1",
    ),
    *(
        b"Upgrade: h2c",
        b"Connection: close",
        b"Connection: keep-alive, close",
        b"Connection: keep-alive",
        b"TE: trailers",
    ),
    *(b"Accept-Encoding: gzip;q=0", b"Accept-Encoding: identity", b"Prefer: wait=0", b"X-Long: way", b"Cookie: a=b"),
)
#: The requests among these that are malformed: a body may be hidden behind them, so the connection must be closed.
MALFORMED = (
    *(
        b"Content-Length : 40",
        b"Content-Length\t: 40",
        b"Content-Length: +40",
        b"Content-Length: 40, 40",
        b"Content-Length:",
    ),
    *(b"Transfer-Encoding\t: chunked", b"Transfer-Encoding : chunked", b"Transfer-Encoding: xchunked"),
    *(b"User-Agent: a\x00b", b"User\x00Agent: a", b"User-Agent: a\nContent-Length: 40", b"no colon", b": no name"),
    *(b"User Agent: a", b"Host: other", b"host: patches"),
    *(
        b"Transfer-Encoding: identity",
        b" folded: 1",
        b"\tfolded",
        b"User-Agent: a\r\n folded",
        b"Content-Length:\r\n 40",
    ),
    b"Via: 1\r\n\tContent-Length: 40",
)
PLAIN = b"Host: patches\r\nAccept-Encoding: gzip\r\n"


class RefusingTests(ChannelCase):
    """Requests that only the parser may judge."""

    def setUp(self) -> None:
        super().setUp()
        self.line = f"GET {self.path}/chunks/0 HTTP/1.1\r\n".encode()
        self.hidden = b"GET /health HTTP/1.1\r\nHost: patches\r\n\r\n"

    def response(self, data: bytes, fast_path: bool) -> tuple[bytes, bool]:
        """Send bytes on a new connection. Return the responses without their dates, and whether it is still open."""
        self.site.fast_path = fast_path
        wire = self.connect()
        wire.send(data)
        connected = wire.connected
        wire.hang_up()
        return re.sub(rb"\r\nDate: [^\r]+", b"", wire.received), connected

    def both(self, data: bytes) -> tuple[bytes, bool]:
        """Send bytes both ways. Return the response, which is the same."""
        fast, long = self.response(data, True), self.response(data, False)
        self.assertEqual(fast, long, repr(data))
        return fast

    def test_plain(self) -> None:
        """Plain requests are recognized: those of the scanner, of tools, and of proxies."""
        accepted = (
            PLAIN,
            b"host: [::1]:8080\r\naccept-encoding: br, GZIP\r\nConnection: Keep-Alive\r\n",
            b"User-Agent: patches-scanner/1\r\nPrefer: wait=20\r\n" + PLAIN,
            b"Accept: */*\r\nX-Forwarded-For: 192.0.2.1, ::1\r\nX-Real-IP: 192.0.2.1\r\nVia: 1.1 proxy\r\n" + PLAIN,
        )
        for fields in accepted:
            found = match(self.line + fields + b"\r\n")
            assert found is not None, fields
            self.assertEqual((found[1], f"/v1/sessions/{found[0]}"), (0, self.path))
            self.both(self.line + fields + b"\r\n")

    def test_declined(self) -> None:
        """Of the odd fields none is recognized, but for the usual forms of harmless ones."""
        harmless = (b"Connection: keep-alive", b"Prefer: wait=0")
        for field in ODD_FIELDS:
            self.assertIs(are_plain(PLAIN + field + b"\r\n\r\n"), field in harmless, field)
            self.assertIs(are_plain(field + b"\r\n" + PLAIN + b"\r\n"), field in harmless, field)

    def test_no_host(self) -> None:
        """A request of HTTP/1.1 without a Host, or with several, is malformed."""
        for fields in (b"", b"Host: patches\r\nHost: patches\r\n", b"Host: a\r\nhost: b\r\n"):
            response, connected = self.both(self.line + fields + b"Accept-Encoding: gzip\r\n\r\n")
            self.assertTrue(response.startswith(b"HTTP/1.1 400 "), response[:80])
            self.assertFalse(connected)

    def test_same_both_ways(self) -> None:
        """Each odd field, before or after the usual ones, gets the same response both ways."""
        for field in ODD_FIELDS:
            for fields in (PLAIN + field + b"\r\n", field + b"\r\n" + PLAIN):
                response, connected = self.both(self.line + fields + b"\r\n" + self.hidden)
                if field in MALFORMED:
                    self.assertTrue(response.startswith(b"HTTP/1.1 400 "), (field, response[:80]))
                    self.assertFalse(connected, repr(field))
                    self.assertEqual(response.count(b"HTTP/1.1 "), 1, repr(field))

    def test_bodies(self) -> None:
        """Bytes that are sent as a body are never answered as a request."""
        for field in (b"Content-Length: %d" % len(self.hidden), b"content-length:%d\t" % len(self.hidden)):
            response, _ = self.both(self.line + PLAIN + field + b"\r\n\r\n" + self.hidden)
            self.assertEqual(response.count(b"HTTP/1.1 "), 1, repr(field))
        chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(self.hidden), self.hidden)
        response, _ = self.both(self.line + PLAIN + b"Transfer-Encoding: chunked\r\n\r\n" + chunked)
        self.assertEqual(response.count(b"HTTP/1.1 "), 1)

    def test_too_many(self) -> None:
        """More fields than the parser takes are never recognized."""
        fields = b"Via: x\r\n" * 41
        response, _ = self.both(self.line + PLAIN + fields + b"\r\n")
        self.assertTrue(response.startswith(b"HTTP/1.1 431 "))

    def test_told(self) -> None:
        """A request that Twisted's parser refuses is answered with a JSON document, like every other error."""
        for head in (
            b"GET /health\r\n\r\n",
            b"GET /health HTTP/1\r\n\r\n",
            b"GET /health HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        ):
            response, connected = self.both(head)
            self.assertIn(b'"code":"malformed"', response, head[:40])
            self.assertFalse(connected)

    def test_long_line(self) -> None:
        """A line of the head that is too long is told, not just hung up on."""
        for head, status in (
            (b"GET /health HTTP/1.1\r\nVia: " + b"x" * 5_000, b"431"),
            (b"GET /health HTTP/1.1\r\n" + b"Via: %s\r\n" % (b"x" * 1_000) * 5, b"431"),
            (b"GET /" + b"x" * 5_000, b"414"),
        ):
            response, connected = self.both(head + b"\r\n\r\n")
            self.assertTrue(response.startswith(b"HTTP/1.1 " + status), response[:60])
            self.assertFalse(connected)

    def test_targets(self) -> None:
        """A path that begins with two slashes, however they are written, is not found; a star is no path."""
        for target, status in ((b"//health", 404), (b"/%2fhealth", 404), (b"/%2F%2fhealth", 404), (b"*", 400)):
            response, _ = self.both(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertTrue(response.startswith(b"HTTP/1.1 %d " % status), (target, response[:60]))

    def test_methods(self) -> None:
        """Methods have one form, that of the standard."""
        response, _ = self.both(b"get /health HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertTrue(response.startswith(b"HTTP/1.1 405 "), response[:60])

    def test_surrogates(self) -> None:
        """An error that repeats what was sent is JSON in UTF-8."""
        body = b'{"platform":"\\ud800"}'
        answer = self.ask("POST", "/v1/sessions", body=body)
        self.assertIn("\\ud800", json.loads(answer.body.decode("utf-8"))["error"]["message"])

    def test_numbers(self) -> None:
        """A number in another form than its own is not recognized, nor is one in a path with doubled slashes."""
        for n in (
            b"00",
            b"07",
            b"+1",
            b"-1",
            b"1234567890",
            b"\xd9\xa1",
            b"%31",
            b"",
            b"1 ",
            b"1\t",
            b"1/",
            b"/1",
            b"1?a=b",
        ):
            line = self.line.replace(b"chunks/0", b"chunks/" + n)
            self.assertIsNone(match(line + PLAIN + b"\r\n"), n)
            self.both(line + PLAIN + b"\r\n")
        for line in (self.line.replace(b"/chunks", b"//chunks"), self.line.replace(b" /v1", b" //v1")):
            self.assertIsNone(match(line + PLAIN + b"\r\n"), line)
        self.assertIsNotNone(match(self.line.replace(b"chunks/0", b"chunks/123456789") + PLAIN + b"\r\n"))

    def test_request_lines(self) -> None:
        """A request line in any other form is not recognized."""
        for old, new in (
            (b"GET", b"get"),
            (b"GET", b"HEAD"),
            (b"GET ", b"GET  "),
            (b"GET ", b" GET "),
            (b"GET /", b"GET http://patches/"),
            (b"HTTP/1.1", b"HTTP/1.0"),
            (b"HTTP/1.1", b"http/1.1"),
            (b"HTTP/1.1", b"HTTP/1.1 "),
            (b"\r\n", b"\n"),
            (b"\r\n", b"\r\r\n"),
        ):
            line = self.line.replace(old, new)
            self.assertIsNone(match(line + PLAIN + b"\r\n"), new)
            self.both(line + PLAIN + b"\r\n")


LINES = st.one_of(
    st.sampled_from(ODD_FIELDS),
    st.sampled_from(
        (b"Host: patches", b"Accept-Encoding: gzip", b"User-Agent: a", b"Via: 1.1 a", b"accept-encoding:gzip , br")
    ),
    st.tuples(
        st.sampled_from(
            (b"Host", b"Accept-Encoding", b"Content-Length", b"Transfer-Encoding", b"Connection", b"Via", b"")
        ),
        st.sampled_from((b":", b": ", b" :", b":\t", b"", b": \x00", b"::")),
        st.sampled_from((b"gzip", b"patches", b"3", b"chunked", b"close", b"", b"a\x0bb", b"\xe9"))
        | st.binary(max_size=6),
    ).map(b"".join),
)
NUMBERS = st.sampled_from(
    (b"0", b"0", b"0", b"1", b"3", b"4", b"00", b"007", b"+0", b"99999999999", b"%30", b"\xd9\xa0")
)
#: Bytes that are put somewhere into the head of a request.
CUTS = st.lists(
    st.tuples(st.integers(0, 400), st.sampled_from((b"\r\n", b"\n", b"\r", b" ", b"\t", b"\x00", b":", b"/", b"\xff"))),
    max_size=2,
)
TAILS = st.sampled_from(
    (b"", b"", b"xyz", b"GET /health HTTP/1.1\r\nHost: patches\r\n\r\n", b"3\r\nabc\r\n0\r\n\r\n", b"\r\n")
)


class AnyRequestTests(RefusingTests):
    """Requests with header fields of any kind."""

    @given(NUMBERS, st.lists(LINES, max_size=4), st.booleans(), CUTS, TAILS)
    def test_same_answer(
        self, number: bytes, lines: list[bytes], usual: bool, cuts: list[tuple[int, bytes]], tail: bytes
    ) -> None:
        """Whatever the header fields are, both ways give the same responses, and keep or close the connection alike."""
        path = self.open().encode()
        fields = [b"Host: patches", *lines, b"Accept-Encoding: gzip"] if usual else lines
        head = b"\r\n".join((b"GET %s/chunks/%s HTTP/1.1" % (path, number), *fields, b"", b""))
        for position, inserted in cuts:
            head = head[:position] + inserted + head[position:]
        self.both(head + tail)
        self.ask("DELETE", path.decode())


class QuestionTests(ChannelCase):
    """The fast path to the answer that a list has not changed."""

    def ask_both(self, *fields: str, target: str = "/v1/platforms/alpine-3.20") -> tuple[bytes, bytes]:
        """Ask on the fast path and on the long way. Return both responses without their dates."""
        received = []
        head = f"GET {target} HTTP/1.1\r\nHost: x\r\n" + "".join(f"{field}\r\n" for field in fields)
        for way in (True, False):
            self.site.fast_path = way
            wire = self.connect()
            wire.send(f"{head}\r\n".encode())
            received.append(re.sub(rb"\r\nDate: [^\r]+|\"ageSeconds\":[0-9.]+", b"", wire.received))
        return received[0], received[1]

    def test_same(self) -> None:
        """Whatever is asked, both ways give the same response; what the fast path knows is a 304."""
        revision, accept = self.refresh.registry.current("alpine-3.20").revision, "Accept-Encoding: gzip"
        for tag in (f'W/"{revision}"', f'"{revision}"'):
            short, long = self.ask_both(f"If-None-Match: {tag}", accept)
            self.assertEqual(short, long)
            self.assertTrue(short.startswith(b"HTTP/1.1 304 Not Modified\r\n"), short)
        for fields in (
            ('If-None-Match: "other"', accept),
            (f'If-None-Match: "a", "{revision}"', accept),
            (f'If-None-Match: "{revision}"', 'If-None-Match: "b"', accept),
            (f'If-None-Match: "{revision}"', accept, "X-Odd: 1"),
            ("If-None-Match: *", accept),
            (accept,),
        ):
            short, long = self.ask_both(*fields)
            self.assertEqual(short, long, fields)
        for target in ("/v1/platforms/absent-1", "/v1/platforms/ALPINE-3.20", "/v1/platforms/", "/v1/platforms//x"):
            short, long = self.ask_both(f'If-None-Match: "{revision}"', accept, target=target)
            self.assertEqual(short, long, target)

    def test_pipelined(self) -> None:
        """Several questions on one connection, also after a request that took the long way, are answered in order."""
        revision = self.refresh.registry.current("alpine-3.20").revision
        fields = {**GZIP, "If-None-Match": f'W/"{revision}"'}
        wire = self.connect()
        for _ in range(2):
            wire.send(request("GET", "/health"))
            for _ in range(2):
                wire.send(request("GET", "/v1/platforms/alpine-3.20", fields))
        self.assertEqual([each.status for each in answers(wire.received)], [200, 304, 304] * 2)

    def test_matched(self) -> None:
        """The field may stand anywhere, once; half a request, or two, are for the parser."""
        line, tag = b"GET /v1/platforms/debian-12 HTTP/1.1\r\n", b'If-None-Match: W/"r1"\r\n'
        host, accept = b"Host: x\r\n", b"Accept-Encoding: gzip\r\n"
        for fields in (tag + host + accept, host + tag + accept, host + accept + tag):
            self.assertEqual(match_question(line + fields + b"\r\n"), ("debian-12", "r1"))
            for data in (line + fields, line + fields + b"\r\nGET", line + tag + fields + b"\r\n"):
                self.assertIsNone(match_question(data), data)
        self.assertIsNone(match_question(line + host + accept + b"\r\n"))
        self.assertIsNone(match_question(line + tag + b"Host: x\r\nContent-Length: 3\r\n" + accept + b"\r\n"))
