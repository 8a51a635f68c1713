"""Tests for :mod:`patches.sources.ndjson`."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from patches.interfaces import IListing, ISource, Offer, SourceError
from patches.sources.ndjson import NdjsonSource
from patches.vulnerability import FixedPackage, Vulnerability
from tests.server.fake_catalogue import lines, vulnerabilities
from tests.sources.feed_case import FeedCase, LocalCase, reading


class CountingClock(Clock):
    """A clock that counts delayed calls."""

    turns = 0

    def callLater(self, *args: Any, **named: Any) -> Any:
        self.turns += 1
        return super().callLater(*args, **named)


class NdjsonTests(SynchronousTestCase):
    """A file in the wire format."""

    def setUp(self) -> None:
        self.clock = CountingClock()
        self.path = Path(self.mktemp())
        self.path.write_bytes(b"".join(lines(vulnerabilities(5))))
        self.source = NdjsonSource(self.path, self.clock, "own")

    def offer(self) -> Offer:
        """Return its offer."""
        [offer] = self.successResultOf(ensureDeferred(self.source.offers()))
        return offer

    def begin(self) -> Deferred[list[Vulnerability]]:
        """Start to read it."""
        self.listing = self.source.listing("key")

        async def reading() -> list[Vulnerability]:
            return [each async for each in self.listing]

        return ensureDeferred(reading())

    def test_interfaces(self) -> None:
        """The source and its listing provide their interfaces."""
        self.assertTrue(verifyObject(ISource, self.source))
        self.assertTrue(verifyObject(IListing, self.source.listing("key")))
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
        self.clock.advance(0)
        self.assertEqual(self.successResultOf(reading), vulnerabilities(5))
        self.assertEqual((self.listing.found, self.listing.claimed, dict(self.listing.skipped)), (5, None, {}))

    def test_turns(self) -> None:
        """Other events get a turn after every two hundred lines."""
        self.path.write_bytes(b"".join(lines(vulnerabilities(401))))
        reading = self.begin()
        self.clock.advance(0)
        self.assertEqual(len(self.successResultOf(reading)), 401)
        self.assertEqual(self.clock.turns, 3)

    def test_compressed(self) -> None:
        """The file may be compressed."""
        self.path.write_bytes(gzip.compress(b"".join(lines(vulnerabilities(5)))))
        reading = self.begin()
        self.clock.advance(0)
        self.assertEqual(len(self.successResultOf(reading)), 5)

    def test_damaged(self) -> None:
        """A line that is not a vulnerability is an error that names it: no line is skipped."""
        self.path.write_bytes(b"".join(lines(vulnerabilities(2))) + b"{}\n")
        reading = self.begin()
        self.clock.advance(0)
        message = str(self.failureResultOf(reading, SourceError).value)
        self.assertTrue(message.startswith(f"{self.path}:3: "), message)

    def test_package_names(self) -> None:
        """A line with a package whose name cannot be one is an error that names the line."""
        for name in ("", "a b", "é"):
            broken = Vulnerability("CVE-2024-0001", "debian-12", (FixedPackage(name, "1"),))
            self.path.write_bytes(b"".join(lines([*vulnerabilities(2), broken])))
            reading = self.begin()
            self.clock.advance(0)
            message = str(self.failureResultOf(reading, SourceError).value)
            self.assertEqual(message, f"{self.path}:3: {name!a} is not the name of a package")

    def test_absent(self) -> None:
        """A missing file is an error, both for the offers and for the listing."""
        self.path.unlink()
        self.failureResultOf(ensureDeferred(self.source.offers()), SourceError)
        reading = self.begin()
        self.clock.advance(0)
        self.failureResultOf(reading, SourceError)


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
