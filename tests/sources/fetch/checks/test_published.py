"""Tests for :mod:`patches.sources.fetch.checks.published`."""

from __future__ import annotations

import hashlib
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.errors import AccessRefused, SourceError
from patches.sources.feed import FetchedFile
from patches.sources.fetch.checks.published import VerifiedFetch, parse_published
from patches.sources.fetch.checksums import Checksum
from patches.sources.fetch.local import LocalFiles
from tests.sources.feed_case import FeedCase, Site, run

URL = "https://feeds.test/lists/list.ndjson"
BODY = b'{"a":1}\n'
SHA256, SHA512 = hashlib.sha256(BODY).hexdigest(), hashlib.sha512(BODY).hexdigest()


class ParseTests(SynchronousTestCase):
    """Files of checksums."""

    def test_forms(self) -> None:
        """The forms of GNU and BSD are parsed, in any case, with a path or without a name."""
        told = Checksum("sha256", SHA256)
        for text in (
            *(
                SHA256,
                f"{SHA256}\n",
                f"{SHA256.upper()}\r\n",
                f"{SHA256}  x.json\n",
                f"{SHA256} *x.json",
                f"{SHA256} x.json",
            ),
            *(f"{SHA256}  ./2024/x.json\n", f"SHA256 (x.json) = {SHA256}\n", f"{SHA256}  another.json\n"),
            f"# comment\n{'0' * 64}  y.json\n{SHA256}  x.json\n\n",
            f"{'0' * 64}  a name with blanks\n{SHA256}  x.json",
        ):
            self.assertEqual(parse_published(text, "x.json", "sha256"), told, text)
        self.assertEqual(parse_published(f"{SHA512}  x.json", "x.json", "sha512"), Checksum("sha512", SHA512))

    def test_others(self) -> None:
        """A page, another algorithm, or several lines without the file are not its checksum."""
        for text in (
            *("", "\n", "<html>\n<body>404</body>", SHA256[:63], SHA512, f"{SHA256}\n<html>", f"x {SHA256}"),
            f"{'0' * 64}  y.json\n{SHA256}  z.json",
        ):
            self.assertIsNone(parse_published(text, "x.json", "sha256"), text)


class VerifiedTests(FeedCase):
    """Files and the checksums beside them."""

    def setUp(self) -> None:
        super().setUp()
        self.dropped: list[Path] = []
        self.fetch = VerifiedFetch(self.site, run, self.dropped.extend)
        self.site.files[URL] = BODY

    def test_right(self) -> None:
        """A file with its checksum is returned; while it does not change, nothing else is requested."""
        self.site.files[f"{URL}.sha256"] = f"{SHA256}  list.ndjson\n".encode()
        for news in ([URL, f"{URL}.sha256"], [URL]):
            self.assertEqual(self.had(self.fetch(URL)).path.read_bytes(), BODY)
            self.assertEqual(self.site.news(), news)

    def test_wrong(self) -> None:
        """A file with another checksum is dropped, with its checksum, and fetched again; then it is refused."""
        for ending, digest in (("sha256", "0" * 64), ("sha512", "0" * 128)):
            self.site.files = {URL: BODY, f"{URL}.{ending}": digest.encode()}
            self.assertEqual(self.refusal(self.fetch(URL)), f"{URL}: does not have the checksum published beside it")
            self.assertEqual(len(self.dropped), 4)
            self.dropped.clear()
        self.site.files = {URL: BODY, f"{URL}.sha512": SHA512.encode()}
        self.had(self.fetch(URL))

    def test_changed_between(self) -> None:
        """A file that was replaced between the two requests is right at the second attempt."""
        fetch, site = self.fetch, self.site
        site.files[f"{URL}.sha256"] = SHA256.encode()
        site.files[URL] = b"the one before"

        def drop(paths: object) -> None:
            site.files[URL] = BODY

        fetch = VerifiedFetch(site, run, drop)
        self.assertEqual(self.had(fetch(URL)).path.read_bytes(), BODY)

    def test_without(self) -> None:
        """A source that publishes no checksums is not asked for ever; a page in place of a checksum is none."""
        for number in range(5):
            url = f"{URL}.{number}"
            self.site.files |= {url: BODY, f"{url}.sha256": b"<html>not here</html>"}
            self.had(self.fetch(url))
        self.assertEqual(len(self.site.news()), 5 + 2 * 3)

    def test_changed_file(self) -> None:
        """A file that changes is verified again."""
        self.site.files[f"{URL}.sha256"] = SHA256.encode()
        self.had(self.fetch(URL))
        self.site.files[URL] = BODY * 2
        self.refusal(self.fetch(URL))

    def test_refused(self) -> None:
        """A storage that refuses what it does not have publishes no checksum; one that fails, fails the file."""
        for error, is_fatal in ((AccessRefused("it answered 403"), False), (SourceError("it answered 503"), True)):

            class Refusing(Site):
                """A site with one file."""

                async def __call__(self, location: str, /, error: Exception = error) -> FetchedFile:
                    if location != URL:
                        raise error
                    return await super().__call__(location)

            site = Refusing(self.folder / str(is_fatal))
            site.files[URL] = BODY
            fetching = VerifiedFetch(site, run, self.dropped.extend)(URL)
            if is_fatal:
                self.assertEqual(self.refusal(fetching), "it answered 503")
            else:
                self.had(fetching)

    def test_local(self) -> None:
        """A local file is verified too, and stays where it is; a folder is not."""
        path = self.folder / "list.ndjson"
        path.write_bytes(BODY)
        fetch = VerifiedFetch(LocalFiles(run), run, self.dropped.extend)
        self.had(fetch(str(path)))
        self.had(fetch(str(self.folder)))
        path.with_name("list.ndjson.sha256").write_text("0" * 64)
        path.write_bytes(BODY * 2)
        self.assertIn("does not have the checksum", self.refusal(fetch(str(path))))
        self.assertTrue(path.exists())

    def test_csaf(self) -> None:
        """The archive of a CSAF provider and each newer document are verified; its lists have no checksums."""
        base, document = "https://vex.test/vex", b"{}"
        archive, path = f"{base}/csaf_vex_2026-11-20.tar.zst", "2026/cve-2026-0001.json"
        self.site.files = {
            f"{base}/archive_latest.txt": b"csaf_vex_2026-11-20.tar.zst",
            f"{base}/changes.csv": f'"{path}","2026-11-21T00:00:00Z"\n'.encode(),
            f"{base}/deletions.csv": b"",
            archive: BODY,
            f"{archive}.sha256": f"{SHA256}  csaf_vex_2026-11-20.tar.zst\n".encode(),
            f"{base}/{path}": document,
            f"{base}/{path}.sha256": f"{hashlib.sha256(document).hexdigest()}  {path}\n".encode(),
        }
        source = self.source(kind="csaf-vex", url=base)
        self.assertEqual(len(self.had(source.offers())), 1)
        asked = [location for location in self.site.news() if location.endswith(".sha256")]
        self.assertEqual(asked, [f"{archive}.sha256", f"{base}/{path}.sha256"])
        for damaged in (archive, f"{base}/{path}"):
            before = self.site.files[damaged]
            self.site.files[damaged] = b"damaged"
            self.folder = self.folder / "another"
            said = self.refusal(self.source(kind="csaf-vex", url=base).offers())
            self.assertEqual(said, f"{damaged}: does not have the checksum published beside it")
            self.site.files[damaged] = before

    def test_kinds(self) -> None:
        """The kinds whose lists are files of an operator or a publisher verify them."""
        for kind, location in (("ndjson", URL), ("clair-export", URL)):
            self.site.files = {location: BODY, f"{location}.sha256": b"0" * 64}
            source = self.source(kind=kind, url=location)
            self.assertIn("does not have the checksum", self.refusal(source.offers()))
