"""Tests for :mod:`patches.sources.ndjson.source`."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

from twisted.internet.defer import Deferred, ensureDeferred, maybeDeferred
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from patches.errors import SourceError
from patches.interfaces import IListing, ISource, Offer
from patches.sources.ndjson.source import local_source
from patches.sources.parsing import ParsingHere
from patches.vulnerability import FixedPackage, Vulnerability
from patches.wire import encode_line
from tests.server.fake_catalogue import lines, vulnerabilities
from tests.sources.feed_case import FeedCase, LocalCase, reading


class NdjsonTests(SynchronousTestCase):
    """A file in the wire format."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        self.path.write_bytes(b"".join(lines(vulnerabilities(5))))
        self.source = local_source(self.path, ParsingHere(), maybeDeferred, self.path.parent, "own")

    def offer(self) -> Offer:
        """Return its offer."""
        [offer] = self.successResultOf(ensureDeferred(self.source.offers()))
        return offer

    def begin(self) -> Deferred[list[Vulnerability]]:
        """Start to read it."""
        self.offer()
        self.listing = self.source.listing(self.path.name)

        async def reading() -> list[Vulnerability]:
            return [each async for each in self.listing]

        return ensureDeferred(reading())

    def test_interfaces(self) -> None:
        """The source and its listing provide their interfaces."""
        self.assertTrue(verifyObject(ISource, self.source))
        self.offer()
        self.assertTrue(verifyObject(IListing, self.source.listing(self.path.name)))
        self.assertEqual((self.source.name, self.source.rank), ("own", 0))

    def test_offer(self) -> None:
        """The source offers its file; the state changes when the file does, and only then."""
        first = self.offer()
        self.assertEqual((first.key, first.platform, self.offer()), (self.path.name, None, first))
        os.utime(self.path, (1, 1))
        second = self.offer()
        self.path.write_bytes(b"")
        self.assertEqual(len({first.state, second.state, self.offer().state}), 3)

    def test_read(self) -> None:
        """All lines are read in order, and counted."""
        reading = self.begin()
        self.assertEqual(self.successResultOf(reading), vulnerabilities(5))
        self.assertEqual((self.listing.found, self.listing.claimed, dict(self.listing.skipped)), (5, None, {}))

    def test_compressed(self) -> None:
        """The file may be compressed."""
        self.path.write_bytes(gzip.compress(b"".join(lines(vulnerabilities(5)))))
        reading = self.begin()
        self.assertEqual(len(self.successResultOf(reading)), 5)

    def test_damaged(self) -> None:
        """A line that is not a vulnerability is an error that names it: no line is skipped."""
        self.path.write_bytes(b"".join(lines(vulnerabilities(2))) + b"{}\n")
        reading = self.begin()
        message = str(self.failureResultOf(reading, SourceError).value)
        self.assertTrue(message.startswith(f"{self.path.name}:3: "), message)

    def test_package_names(self) -> None:
        """A package whose name cannot be one is skipped, and counted; the rest of the list is read."""
        for name in ("", "a b", "é", "x" * 257):
            packages = (FixedPackage(name, "1"), FixedPackage("sudo", "2"))
            both = Vulnerability("CVE-2024-0001", "debian-12", packages)
            only = Vulnerability("CVE-2024-0002", "debian-12", packages[:1])
            self.path.write_bytes(b"".join(lines([*vulnerabilities(2), both, only])))
            found = self.successResultOf(self.begin())
            self.assertEqual([each.name for each in found[2:]], ["CVE-2024-0001"])
            self.assertEqual([package.name for package in found[2].fixed_in], ["sudo"])
            self.assertEqual((self.listing.found, self.listing.skipped), (4, {"package without a name": 2}))

    def test_control_characters(self) -> None:
        """A character that cannot be shown is escaped, however it stands in the file, and keeps no record away."""
        packages = (FixedPackage("op\x1b[2Jen", "1"), FixedPackage("sudo", "2\x07"))
        odd = Vulnerability("CVE-2024-\u202e0001", "debian-12", packages, note="\x9b31m")
        escaped = encode_line(odd)
        raw = escaped.replace(b"\\u001b", b"\x1b").replace(b"\\u0007", b"\x07").replace(b"\\u009b", b"\x9b")
        self.assertNotEqual(raw, escaped)
        for line in (escaped, raw):
            self.path.write_bytes(b"".join(lines(vulnerabilities(2))) + line)
            found = self.successResultOf(self.begin())
            self.assertEqual((len(found), found[2].name), (3, "CVE-2024-0001"))
            self.assertEqual([package.name for package in found[2].fixed_in], ["op\\x1b[2Jen", "sudo"])
            self.assertEqual(found[2].fixed_in[1].status, "unreadable")
            self.assertTrue(str(found[2].note).isprintable(), found[2].note)
            self.assertEqual(self.listing.skipped, {})

    def test_platforms(self) -> None:
        """A record of what can be no platform is skipped, and counted."""
        odd = Vulnerability("CVE-2024-0001", "debian-12\x1b[2J")
        self.path.write_bytes(b"".join(lines([*vulnerabilities(2), odd])))
        self.assertEqual(len(self.successResultOf(self.begin())), 2)
        self.assertEqual(self.listing.skipped, {"unknown platform: debian-12\\x1b[2J": 1})

    def test_absent(self) -> None:
        """A missing file is an error, both for the offers and for the listing."""
        self.offer()
        self.path.unlink()
        self.failureResultOf(ensureDeferred(reading(self.source)), SourceError)

        async def listed() -> list[Vulnerability]:
            return [each async for each in self.source.listing(self.path.name)]

        self.failureResultOf(ensureDeferred(listed()), SourceError)


class FetchedTests(FeedCase):
    """A file at a URL."""

    def test_fetched(self) -> None:
        """It is fetched, may be compressed, and names are bare ids."""
        records = [*vulnerabilities(3), Vulnerability("CVE-2018-14461 (LDP)", "debian-12")]
        self.site.files["https://lists.test/own.ndjson.gz"] = gzip.compress(b"".join(lines(records)))
        source = self.source(kind="ndjson", url="https://lists.test/own.ndjson.gz")
        found = self.read(source)
        self.assertEqual((len(found), found[-1].name, found[-1].note), (4, "CVE-2018-14461", "LDP"))
        self.site.files["https://lists.test/own.ndjson.gz"] = b"{}\n"
        self.assertIn("own.ndjson.gz:1: not a vulnerability", self.refusal(reading(source)))
        wanted = self.source(frozenset({"debian-13"}), kind="ndjson", url="https://lists.test/own.ndjson.gz")
        self.site.files["https://lists.test/own.ndjson.gz"] = b"".join(lines(records))
        self.assertEqual(self.read(wanted), [])


class LocalTests(LocalCase):
    """Files at paths."""

    def test_several(self) -> None:
        """Every file is read, compressed or not, also two of the same name; only the wanted platforms are."""
        named = [Vulnerability(f"CVE-2024-000{number}", f"debian-{number}") for number in (1, 2, 3)]
        first, second, third = ([each] for each in named)
        folder = self.write("a/own.ndjson", b"".join(lines(first)))
        self.write("b/own.ndjson", b"".join(lines(second)))
        self.write("c.ndjson.gz", gzip.compress(b"".join(lines(third))))
        paths = [f"{folder}/{name}" for name in ("a/own.ndjson", "b/own.ndjson", "c.ndjson.gz", "c.ndjson.gz")]
        expected = [(each.name, each.platform) for each in named]
        self.assertEqual(self.names(kind="ndjson", path=paths), expected)
        source = self.made(frozenset({"debian-2"}), kind="ndjson", path=paths)
        self.assertEqual([each.platform for each in self.had(reading(source))], ["debian-2"])

    def test_changed(self) -> None:
        """The state of a file changes with the file."""
        folder = self.write("own.ndjson", b"".join(lines(vulnerabilities(1))))
        source = self.made(kind="ndjson", path=f"{folder}/own.ndjson")
        states = [self.had(source.offers())[0].state, self.had(source.offers())[0].state]
        other = Path(folder, "other.ndjson")
        other.write_bytes(b"".join(lines(vulnerabilities(1))))
        os.utime(other, ns=(1, Path(folder, "own.ndjson").stat().st_mtime_ns))
        other.rename(Path(folder, "own.ndjson"))
        states.append(self.had(source.offers())[0].state)
        self.assertEqual([states.index(state) for state in states], [0, 0, 2])
