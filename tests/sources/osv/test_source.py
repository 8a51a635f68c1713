"""Tests for :mod:`patches.sources.osv.source`."""

from __future__ import annotations

import json

from patches.settings import BadSetting
from tests.sources.archive.test_members import tar, zipped
from tests.sources.feed_case import FeedCase, LocalCase
from tests.sources.osv_records import affected, record

BUCKET = "https://osv.test/all/"


def records(count: int = 1, ecosystem: str = "Debian:12") -> dict[str, bytes]:
    """Return the members of an archive: records, and a file that is not one."""
    documents = [record(f"DSA-{number}-1", affected(ecosystem, "curl", "8-1")) for number in range(count)]
    return {"README": b"x", **{f"{each['id']}.json": json.dumps(each).encode() for each in documents}}


class SourceTests(FeedCase):
    """A source of the kind ``osv``."""

    def test_bucket(self) -> None:
        """Each configured ecosystem of a bucket is a list of its own."""
        self.site.files[f"{BUCKET}Debian/all.zip"] = zipped(records())
        self.site.files[f"{BUCKET}Rocky%20Linux/all.zip"] = zipped(records())
        source = self.source(kind="osv", url=BUCKET, ecosystems=["Debian", "Rocky Linux"])
        self.assertEqual([offer.key for offer in self.had(source.offers())], ["Debian", "Rocky Linux"])
        self.assertEqual(self.site.news(), [f"{BUCKET}Debian/all.zip", f"{BUCKET}Rocky%20Linux/all.zip"])

    def test_archives(self) -> None:
        """Without ecosystems each location is an archive, and a list of its own."""
        urls = [f"{BUCKET}Debian/a.zip", f"{BUCKET}Debian/b.tar"]
        self.site.files = dict(zip(urls, (zipped(records()), tar(records())), strict=True))
        source = self.source(kind="osv", url=urls)
        self.assertEqual([offer.key for offer in self.had(source.offers())], ["a.zip", "b.tar"])
        self.assertEqual([each.platform for each in self.read(source)], ["debian-12"] * 2)

    def test_unknown_ecosystem(self) -> None:
        """An unknown ecosystem is refused when the source is created, and named."""
        with self.assertRaisesRegex(BadSetting, r"^\[source.made-up\]: there is no ecosystem 'debian'; a section "):
            self.source(kind="osv", url=BUCKET, ecosystems=["Debian", "debian"])

    def test_rank(self) -> None:
        """OSV's records are converted, so a vendor's own data takes precedence over them."""
        self.assertEqual(self.source(kind="osv", url=BUCKET).rank, 1)


class LocalTests(LocalCase):
    """Copies of a bucket in a folder."""

    def test_spaces(self) -> None:
        """The folder of an ecosystem has its name, with its spaces."""
        document = record("RLSA-2024:1", affected("Rocky Linux:9", "curl", "0:8-1"))
        folder = self.write("Rocky Linux/all.zip", zipped({"a.json": json.dumps(document).encode()}))
        self.assertEqual(self.names(kind="osv", path=folder, ecosystems=["Rocky Linux"]), [("RLSA-2024:1", "rocky-9")])
