"""Tests for :mod:`patches.sources.fetch.download`: requests, and the files that result."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import time
from hashlib import md5
from pathlib import Path

from twisted.internet.defer import CancelledError, Deferred, maybeDeferred

from patches.errors import SourceError
from patches.sources.feed import FetchedFile
from patches.sources.fetch.cache import FileCache
from patches.sources.fetch.clients import verbatim_client
from patches.sources.fetch.download import Downloader
from tests.sources.download_case import BODY, URL, DownloadCase, whole
from tests.sources.memory_web import Told, told

DATE = "Fri, 20 Nov 2026 06:00:00 GMT"
VALIDATORS = {"ETag": '"one"', "Last-Modified": DATE}


def base64_of(digest: bytes) -> str:
    """Return a checksum as in headers."""
    return base64.b64encode(digest).decode("ascii")


class UnchangedTests(DownloadCase):
    """Revalidation of files."""

    def test_first(self) -> None:
        """A file that is not cached is requested without conditions and without compression."""
        fetched = self.fetch(whole(**VALIDATORS))
        self.assertHad(fetched)
        self.assertTrue(fetched.path.name.endswith("-all.zip"))
        (asked,) = self.web.asked
        self.assertEqual(asked.url, URL)
        self.assertEqual(asked.headers["accept-encoding"], "identity")
        self.assertFalse(asked.headers.keys() & {"if-none-match", "if-modified-since", "range", "if-range"})

    def test_record(self) -> None:
        """The record of a file is in JSON beside it, under the SHA-256 of its URL."""
        self.fetch(whole(**VALIDATORS))
        path = self.folder / f"{hashlib.sha256(URL.encode()).hexdigest()}.json"
        record = {"version": 1, "url": URL, "etag": '"one"', "last_modified": DATE, "length": len(BODY)}
        sums = {"sha256": hashlib.sha256(BODY).hexdigest(), "fetched": 1_800_000_000.0, "etag_is_md5": False}
        self.assertEqual(json.loads(path.read_text()), record | sums)

    def test_unchanged(self) -> None:
        """A file that has not changed costs one request, and nothing is written."""
        first = self.fetch(whole(**VALIDATORS))
        before = {path: (path.stat().st_ino, path.read_bytes()) for path in self.folder.iterdir()}
        self.web.asked.clear()
        self.assertEqual(self.fetch(told(304, ETag='"one"')), first)
        (asked,) = self.web.asked
        self.assertEqual((asked.headers["if-none-match"], asked.headers["if-modified-since"]), ('"one"', DATE))
        after = {path: (path.stat().st_ino, path.read_bytes()) for path in self.folder.iterdir()}
        self.assertEqual(after, before)

    def test_changed(self) -> None:
        """A changed file replaces the one before; its state differs."""
        first = self.fetch(whole(**VALIDATORS))
        second = self.fetch(whole(BODY[::-1], ETag='"two"'))
        self.assertHad(second, BODY[::-1])
        self.assertEqual(second.path, first.path)
        self.assertNotEqual(second.state, first.state)

    def test_same_content(self) -> None:
        """The same content is the same state, whatever the validators say."""
        self.assertEqual(self.fetch(whole(ETag='"one"')), self.fetch(whole(ETag='W/"two"')))

    def test_damaged(self) -> None:
        """A file that is missing, or has another length than recorded, is requested without conditions."""
        for damage in (os.unlink, lambda path: os.truncate(path, 7)):
            damage(self.fetch(whole(**VALIDATORS)).path)
            self.web.asked.clear()
            self.assertHad(self.fetch(whole(**VALIDATORS)))
            self.assertNotIn("if-none-match", self.web.asked[0].headers)

    def test_damaged_content(self) -> None:
        """A file with another content than recorded is fetched again, although its server says that it is unchanged."""
        path = self.fetch(whole(**VALIDATORS)).path
        content = bytearray(BODY)
        content[77] ^= 4
        path.write_bytes(content)
        self.assertHad(self.fetch(told(304, **VALIDATORS), whole(**VALIDATORS)))

    def test_record_of_another_version(self) -> None:
        """A record that cannot be parsed, or is of a later version, is ignored."""
        self.fetch(whole(**VALIDATORS))
        (path,) = self.folder.glob("*.json")
        for text in ("", "[]", "{}", path.read_text().replace('"version": 1', '"version": 2')):
            path.write_text(text)
            self.web.asked.clear()
            self.fetch(whole(**VALIDATORS))
            self.assertNotIn("if-none-match", self.web.asked[0].headers)

    def test_unasked_304(self) -> None:
        """A 304 response to a request without conditions is refused."""
        self.assertEqual(self.refused(told(304)), f"{URL}: it answered 304")


class WholeTests(DownloadCase):
    """Right and wrong bodies."""

    def test_compressed(self) -> None:
        """A body that its server compressed nevertheless is stored as it was sent."""
        packed = gzip.compress(BODY)
        headers = {"Content-Encoding": "gzip", "Content-MD5": base64_of(md5(packed).digest())}
        self.assertHad(self.fetch(whole(packed, **headers)), packed)

    def test_chunked(self) -> None:
        """A chunked body needs no length."""
        chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
        self.assertHad(self.fetch(told(200, chunks, closes=True, Transfer_Encoding="chunked")))

    def test_no_length(self) -> None:
        """A body that ends with its connection may be cut off, and is refused; unless its checksum is right."""
        message = self.refused(told(200, BODY, closes=True))
        self.assertIn("the file may be cut off", message)
        self.assertNothing()
        self.assertHad(self.fetch(told(200, BODY, closes=True, Content_MD5=base64_of(md5(BODY).digest()))))

    def test_checksums(self) -> None:
        """A checksum of each algorithm is compared: a file with another one is refused at once, and removed."""
        sha256, right = hashlib.sha256(BODY).digest(), md5(BODY).digest()
        for name, form, digest in (
            ("x-goog-hash", "crc32c=AAAAAA==,md5={}", right),
            ("Content-MD5", "{}", right),
            ("Digest", "SHA-256={}", sha256),
            ("Repr-Digest", "sha-256=:{}:", sha256),
            ("Content-Digest", "sha-512=:{}:", hashlib.sha512(BODY).digest()),
        ):
            wrong = form.format(base64_of(bytes(len(digest))))
            self.web.asked.clear()
            self.assertRegex(self.refused(whole(**{name: wrong})), "does not have the .* checksum that it announced")
            self.assertEqual(len(self.web.asked), 1)
            self.assertNothing()
            self.fetch(whole(**{name: form.format(base64_of(digest))})).path.unlink()
            next(self.folder.iterdir()).unlink()

    def test_tag(self) -> None:
        """A tag that has the form of an MD5 need not be one; once it was, the next one must be."""
        self.fetch(whole(ETag=f'"{"0" * 32}"'))
        self.fetch(whole(ETag=f'"{md5(BODY).hexdigest()}"'))
        other = BODY[::-1]
        said = self.refused(whole(other, ETag=f'"{"1" * 32}"'))
        self.assertIn("does not have the md5 checksum that it announced", said)
        self.assertHad(self.fetch(whole(other, ETag=f'"{md5(other).hexdigest()}"')), other)
        self.assertHad(self.fetch(whole(ETag='"two"')))
        self.fetch(whole(other, ETag=f'"{"1" * 32}"'))

    def test_amazon(self) -> None:
        """A body of Amazon's storage must have the MD5 that is its tag."""
        amazon = {"Server": "AmazonS3", "x-amz-request-id": "6J3X"}
        self.assertIn("md5", self.refused(whole(BODY[:-1] + b"x", ETag=f'"{md5(BODY).hexdigest()}"', **amazon)))
        self.assertNothing()

    def test_unpacked_by_the_server(self) -> None:
        """The checksum of Google's storage is ignored if the storage decompresses the file."""
        headers = {"x-goog-hash": f"md5={base64_of(bytes(16))}", "x-goog-stored-content-encoding": "gzip"}
        self.assertHad(self.fetch(whole(**headers)))

    def test_too_long(self) -> None:
        """A file that is too long is refused before its body, or as soon as the limit is exceeded."""
        self.assertIn("is 10240 bytes long, more than 10239", self.refused(whole(), max_bytes=len(BODY) - 1))
        endless = told(200, b"%x\r\n%b" % (1 << 40, BODY), closes=True, Transfer_Encoding="chunked")
        self.assertIn("is longer than 5000 bytes", self.refused(endless, max_bytes=5000))
        self.assertEqual(len(self.web.asked), 2)
        self.assertNothing()

    def test_old_file_stays(self) -> None:
        """A cached file stays as it is when no newer one can be downloaded."""
        first = self.fetch(whole(**VALIDATORS))
        self.refused(whole(BODY * 2, Content_MD5=base64_of(bytes(16))))
        self.refused(told(404))
        self.assertHad(first)
        self.assertEqual(self.fetch(told(304)), first)

    def test_cannot_be_kept(self) -> None:
        """A folder that cannot be written to is an error in one line."""
        self.folder.write_text("not a folder")
        self.assertRegex(self.refused(whole()), f"^{URL}: cannot be stored: File exists$")


class KeptTests(DownloadCase):
    """Several files, and several fetches of one."""

    def test_at_once(self) -> None:
        """Of two fetches of a file at once, the second only revalidates it."""
        self.answers = [whole(**VALIDATORS), told(304)]
        downloads = self.downloads()
        both = [Deferred.fromCoroutine(downloads(URL)) for _ in range(2)]
        self.web.flush()
        first, second = (self.successResultOf(fetching) for fetching in both)
        self.assertEqual(first, second)
        self.assertEqual(self.web.asked[1].headers["if-none-match"], '"one"')

    def test_forget_unused(self) -> None:
        """Only the files of URLs that were not used for long are removed."""
        urls = [f"https://feeds.test/{number}.json" for number in range(3)]
        had = [self.fetch(whole(**VALIDATORS), url=url) for url in urls]
        stranger = self.folder / "README"
        stranger.write_text("mine")
        self.make_old()
        self.assertEqual(self.fetch(told(304), url=urls[1]), had[1])
        self.assertIn("answered 404", self.refused(told(404), url=urls[2]))
        kept = FileCache(self.folder)
        self.assertEqual(kept.forget_unused(time.time() - 60), 2)
        self.assertEqual([file.path.exists() for file in had], [False, True, True])
        self.assertTrue(stranger.exists())
        self.assertEqual(self.fetch(told(304), url=urls[2]), had[2])
        self.assertEqual(FileCache(self.folder / "absent").forget_unused(0), 0)

    def test_use(self) -> None:
        """Files that are in use without being fetched stay; foreign files are not touched."""
        fetched = self.fetch(whole(**VALIDATORS))
        stranger = Path(self.mktemp())
        stranger.write_text("mine")
        self.make_old(stranger)
        kept = FileCache(self.folder)
        kept.use([fetched.path.absolute(), stranger, self.folder / "absent"])
        self.assertEqual((kept.forget_unused(time.time() - 60), stranger.stat().st_mtime), (0, 1.0))

    def test_clock_is_set(self) -> None:
        """A file that was fetched or begun is as old as the process's own time says, whatever the time of day is."""
        steady = time.time() + 3.2e7  # the time of day was set back by a year
        kept = FileCache(self.folder, lambda: steady)
        downloads = Downloader(verbatim_client(self.web.agent(self.clock)), self.clock, maybeDeferred, kept)
        begun = told(200, BODY[:9], True, Content_Length="99", ETag='"one"')
        for url, answer in ((URL, whole(**VALIDATORS)), (f"{URL}2", begun)):
            self.answers = [answer, told(404)]
            fetching = Deferred.fromCoroutine(downloads(url))
            self.web.flush()
            self.clock.pump([5] * 10)
            fetching.addErrback(lambda failure: failure.trap(SourceError) and None)
            self.assertEqual(kept.forget_unused(steady - 60), 0)

    def test_busy(self) -> None:
        """A file that is being fetched is not removed."""
        self.answers = [Told(b"")]
        kept = FileCache(self.folder)
        downloads = Downloader(verbatim_client(self.web.agent(self.clock)), self.clock, maybeDeferred, kept)
        fetching = Deferred.fromCoroutine(downloads(URL))
        self.web.flush()
        (self.folder / f"{hashlib.sha256(URL.encode()).hexdigest()}.part").write_text("begun")
        self.make_old()
        self.assertEqual(kept.forget_unused(time.time()), 0)
        fetching.cancel()
        self.failureResultOf(fetching, CancelledError)
        self.make_old()
        self.assertEqual(kept.forget_unused(time.time()), 1)

    def make_old(self, *more: Path) -> None:
        """Set the times of all files to long ago."""
        for path in (*self.folder.iterdir(), *more):
            os.utime(path, (1, 1))

    def test_cancelled(self) -> None:
        """A cancelled fetch leaves no timer, and its URL can be fetched again."""
        downloads = self.downloads()
        for answer in (whole(Content_Length="99999"), told(503)):
            self.answers = [answer]
            fetching: Deferred[FetchedFile] = Deferred.fromCoroutine(downloads(URL))
            self.web.flush()
            fetching.cancel()
            self.failureResultOf(fetching, CancelledError)
            self.assertEqual(self.clock.getDelayedCalls(), [])
        self.answers = [whole()]
        again = Deferred.fromCoroutine(downloads(URL))
        self.web.flush()
        self.assertHad(self.successResultOf(again))
