"""Tests for :mod:`patches.server.catalogue.bundle.manifest`: the parts of a bundle, and its manifest."""

from __future__ import annotations

import hashlib
import io
import tarfile
import time
from collections.abc import Callable
from typing import Any

from attrs import evolve

from patches.server.catalogue.bundle.manifest import (
    BadBundle,
    BundleEntry,
    checksum_line,
    chunk_name,
    manifest_of,
    member_head,
    read_manifest,
)
from tests.server.bundle_case import BundleCase


class PartTests(BundleCase):
    """The parts of a bundle."""

    def test_head(self) -> None:
        """The header of a member is one block that any tar reads, the same each time."""
        head = member_head("chunks/r/00000001.gz", 7)
        self.assertEqual((len(head), member_head("chunks/r/00000001.gz", 7)), (512, head))
        with tarfile.open(fileobj=io.BytesIO(head + b"content" + bytes(505) + bytes(1024))) as tar:
            (member,) = tar
        self.assertEqual((member.name, member.size, member.mtime, member.isreg()), ("chunks/r/00000001.gz", 7, 0, True))

    def test_enrichments(self) -> None:
        """The facts that a list was made with travel in its manifest."""
        sources = {**self.small.sources, "kev": {"read": 1, "skipped": {}, "enriches": "kev"}}
        entry = BundleEntry(evolve(self.small, sources=sources), ("0" * 64,) * self.small.chunks)
        (found,) = read_manifest(manifest_of([entry]))
        self.assertEqual(found.snapshot.enrichments, ("kev",))

    def test_names(self) -> None:
        """The names of chunks are in the order of their numbers."""
        names = [chunk_name("r", number) for number in (0, 9, 10, 99_999_999)]
        self.assertEqual(names[0], "chunks/r/00000000.gz")
        self.assertEqual(sorted(names), names)

    def test_checksum(self) -> None:
        """The checksum is in the form that ``sha256sum --check`` reads."""
        self.assertEqual(checksum_line(b"x"), hashlib.sha256(b"x").hexdigest().encode() + b"  manifest.json\n")

    def test_round_trip(self) -> None:
        """A manifest is parsed to what it was created of; its time is that of the newest list."""
        entries = [BundleEntry(each, ("0" * 64,) * each.chunks) for each in (self.small, self.big)]
        manifest = manifest_of(entries)
        self.assertEqual(read_manifest(manifest), entries)
        self.assertIn(b'"created":1000.0,"format"', manifest)
        self.assertEqual(read_manifest(manifest_of([])), [])

    def test_not_a_manifest(self) -> None:
        """Bytes that are not a manifest are refused in one line."""
        for content in (b"", b"[]", b"7", b"{}", b"{", b"\xff", b"[" * 100_000, manifest_of([]) + b" "):
            with self.assertRaises(BadBundle) as caught:
                read_manifest(content)
            self.assertNotIn("\n", str(caught.exception))


class ManifestTests(BundleCase):
    """Manifests in bundles."""

    def test_manifest(self) -> None:
        """A manifest that contradicts itself or its chunks is refused even if its checksum is correct."""

        def first(**values: Any) -> Callable[[dict[str, Any]], object]:
            return lambda manifest: manifest["snapshots"][0].update(values)

        far = time.time() + 10**6
        for change, said in (
            (first(platform="debian-11"), "revision"),
            (first(platform="../../x"), "platform"),
            (first(revision="0" * 32), "revision"),
            (first(digest="0" * 64), "revision"),
            (first(digest="x"), "not a SHA-256"),
            (first(chunks=2), "one checksum for each chunk"),
            (first(vulnerabilities=4), "3 vulnerabilities, not 4"),
            (first(vulnerabilities=-1), "not a count"),
            (first(created="now"), "number of seconds"),
            (first(checked=float("nan")), "not a number"),
            (first(checked=1e300), "not a time"),
            (first(checked=far), "canonical"),
            (first(sources=7), "not a manifest"),
            (first(extra=1), "canonical"),
            (lambda manifest: manifest.update(version=2), "version 1"),
            (lambda manifest: manifest.update(snapshots=7), "not a manifest"),
            (lambda manifest: manifest.update(created=7), "canonical"),
            (lambda manifest: manifest["snapshots"].reverse(), "not in order"),
            (lambda manifest: manifest["snapshots"].append(manifest["snapshots"][1]), "twice"),
        ):
            self.assertIn(said, self.refused(self.changed(change)))
        self.assertIn("in the future", self.refused(self.changed(lambda m: future(m, far))))


def future(manifest: dict[str, Any], far: float) -> None:
    """Set the check of a list and the creation of the bundle to another time."""
    manifest["snapshots"][0]["checked"] = manifest["created"] = far
