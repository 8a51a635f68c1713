"""Tests for :mod:`patches.sources.fetch.checksums`, :mod:`~patches.sources.fetch.redirects` and ``Retry-After``."""

from __future__ import annotations

import base64

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http_headers import Headers

from patches.http.headers import retry_after
from patches.sources.fetch.checksums import Checksum, parse_checksums
from patches.sources.fetch.headers import strong_validator
from patches.sources.fetch.redirects import redirected, same_server, without_credentials


class PromisedTests(SynchronousTestCase):
    """Checksums in headers."""

    def read(self, **headers: str) -> tuple[Checksum, ...]:
        """Parse headers."""
        return parse_checksums(Headers({name.replace("_", "-"): [value] for name, value in headers.items()}))

    @given(st.binary(min_size=16, max_size=16), st.binary(min_size=32, max_size=32))
    def test_every_form(self, short: bytes, long: bytes) -> None:
        """Each header is parsed as its specification defines, among other values."""
        md5, sha256 = Checksum("md5", short.hex()), Checksum("sha256", long.hex())
        short_text, long_text = base64.b64encode(short).decode(), base64.b64encode(long).decode()
        self.assertEqual(self.read(x_goog_hash=f"crc32c=AAAAAA==, md5={short_text}"), (md5,))
        self.assertEqual(self.read(Content_MD5=short_text), (md5,))
        self.assertEqual(self.read(Digest=f"SHA-256={long_text},unixsum=30637"), (sha256,))
        self.assertEqual(self.read(Repr_Digest=f"sha-256=:{long_text}:, md5=:{short_text}:"), (sha256, md5))
        self.assertEqual(self.read(Digest=f"sha-256={long_text}", Content_Digest=f"sha-256=:{long_text}:"), (sha256,))

    @given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
    def test_unreadable(self, text: str) -> None:
        """A checksum that cannot be parsed is ignored."""
        for name in ("x_goog_hash", "Content_MD5", "Digest", "Repr_Digest"):
            for checksum in self.read(**{name: text}):
                self.assertIn(len(checksum.digest), (32, 64, 128))
        self.assertEqual(self.read(Content_MD5="AAAA", Digest="sha-256=AAAA", x_goog_hash="md5=?"), ())


class TagTests(SynchronousTestCase):
    """Entity tags that are an MD5."""

    AMAZON = {"Server": "AmazonS3", "x-amz-request-id": "6J3X", "ETag": f'"{"a" * 32}"'}

    def read(self, **headers: str) -> tuple[Checksum, ...]:
        """Parse headers of Amazon's storage, with others."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return parse_checksums(Headers({name: [value] for name, value in (self.AMAZON | named).items()}))

    def test_amazon(self) -> None:
        """The tag of Amazon's storage is an MD5, unless it has parts or the object's owner encrypts it."""
        md5 = Checksum("md5", "a" * 32)
        self.assertEqual(self.read(), (md5,))
        self.assertEqual(self.read(x_amz_server_side_encryption="AES256"), (md5,))
        for name, value in {
            "ETag": f'"{"a" * 32}-2"',
            "x_amz_server_side_encryption": "aws:kms",
            "x_amz_server_side_encryption_customer_algorithm": "AES256",
            "Server": "nginx",
        }.items():
            self.assertEqual(self.read(**{name: value}), (), name)
        self.assertEqual(self.read(ETag=f'W/"{"a" * 32}"'), ())
        sha256 = base64.b64encode(bytes(32)).decode()
        self.assertEqual(self.read(x_amz_checksum_sha256=sha256), (Checksum("sha256", "00" * 32), md5))


class PlaceTests(SynchronousTestCase):
    """URLs."""

    def test_shown(self) -> None:
        """User and password are removed from any URL."""
        for url in ("https://u:p@x.test/a@b", "https://u:p@p@x.test/a@b", "https://x.test/a@b"):
            self.assertEqual(without_credentials(url), "https://x.test/a@b")
        self.assertEqual(without_credentials("/var/a@b"), "/var/a@b")

    def test_same_server(self) -> None:
        """A server is its host and port; http may become https on it."""
        self.assertTrue(same_server("https://X.test/a", "https://x.test:443/b"))
        self.assertTrue(same_server("http://x.test/a", "https://x.test/b"))
        for other in ("http://x.test:8080/", "https://x.test:8443/", "http://y.test/", "http://x.test.evil.test/"):
            self.assertFalse(same_server("http://x.test/a", other), other)
        self.assertFalse(same_server("https://x.test/a", "http://x.test/a"))

    @given(st.binary(max_size=40))
    def test_whatever_a_server_says(self, location: bytes) -> None:
        """Any redirect leads to a URL of printable ASCII, or is refused."""
        from patches.errors import SourceError

        try:
            found = redirected("https://x.test/a/b?c", location)
        except SourceError:
            return
        self.assertRegex(found, r"\Ahttps://[\x21-\x7e]+\Z")
        self.assertNotIn("@", found.split("/")[2])

    def test_redirected(self) -> None:
        """A redirect is relative to the requested URL; user, password and fragment are removed."""
        for location, url in {
            b"//u:p@y.test/d#e": "https://y.test/d",
            b"../d?e=%2f&f": "https://x.test/d?e=%2f&f",
            b" https://y.test:8443/caf\xc3\xa9 ": "https://y.test:8443/caf%C3%A9",
        }.items():
            self.assertEqual(redirected("https://x.test/a/b?c", location), url)

    def test_strong(self) -> None:
        """A weak validator, and an invalid one, are not used."""
        self.assertEqual(
            [strong_validator(text) for text in ('"a"', 'W/"a"', "a", "", None)], ['"a"', None, None, None, None]
        )

    def test_retry_after(self) -> None:
        """``Retry-After`` is a number of seconds, or a time relative to the server's own, if that is known."""
        for text, seconds in (("7", 7.0), ("-1", None), ("soon", None), ("Thu, 01 Jan 1970 00:01:40 GMT", 60.0)):
            self.assertEqual(retry_after(Headers({"Retry-After": [text]}), 40.0), seconds)
        past = {"Retry-After": ["Thu, 01 Jan 1970 00:01:40 GMT"], "Date": ["Thu, 01 Jan 1970 00:02:00 GMT"]}
        self.assertEqual(retry_after(Headers(past), 0.0), 0.0)
