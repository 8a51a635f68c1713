"""Tests for :mod:`patches.sources.clair.listing`: lists that change, late responses, walks without an end."""

from __future__ import annotations

import json

from twisted.internet.defer import CancelledError

from patches.errors import ListChanged, SourceError
from patches.sources.clair import walk as clair_walk
from patches.sources.clair.listing import GONE
from patches.vulnerability import Vulnerability
from tests.sources.clair_in_memory import MemoryCase, Scripted, named


def target_of(name: str) -> str:
    """Return the request target of a vulnerability of Debian 9."""
    return f"/v1/namespaces/debian%3A9/vulnerabilities/{name}?fixedIn"


def page_of(*names: str, token: str | None = None) -> tuple[int, bytes]:
    """Return the response with a page."""
    document = {"Vulnerabilities": [{"Name": name} for name in names] or None}
    return 200, json.dumps({**document, "NextPage": token} if token else document).encode()


def details_of(name: str) -> bytes:
    """Return the details of a vulnerability."""
    return json.dumps({"Vulnerability": {"Name": name}}).encode()


class ChangeTests(MemoryCase):
    """Lists that change while they are read."""

    def setUp(self) -> None:
        super().setUp()
        self.double.load("debian:9", named("a", "b", "c", "d"))
        self.listing = self.source(page_size=2, parallel=1).listing("debian-9")
        self.walk = self.listing.__aiter__()

    def step(self) -> Vulnerability:
        """Return the next vulnerability."""
        return self.successResultOf(self.deferred(self.walk.__anext__()))

    def rest(self) -> list[str]:
        """Return the names of the remaining vulnerabilities."""

        async def read() -> list[str]:
            return [vulnerability.name async for vulnerability in self.walk]

        return self.successResultOf(self.deferred(read()))

    def test_changed_behind(self) -> None:
        """A vulnerability that changes after it was read is read again at the end, in its new state."""
        self.assertEqual(self.step().fixed_in[0].version, "1.0-1")
        self.double.change("debian:9", {"Name": "a", "FixedIn": [{"Name": "made-up", "Version": "2.0-1"}]})
        self.assertEqual(self.rest(), ["b", "c", "d", "a"])

    def test_changed_twice_is_last_as_it_is_then(self) -> None:
        """The later record of a name is the newer one."""
        self.double.change("debian:9", {"Name": "d", "FixedIn": [{"Name": "made-up", "Version": "2.0-1"}]})
        versions = {self.step().name: None for _ in range(3)}
        self.assertEqual(list(versions), ["a", "b", "c"])
        self.assertEqual(self.step().fixed_in[0].version, "2.0-1")

    def test_inserted(self) -> None:
        """A new vulnerability is read at the end."""
        self.step()
        self.double.change("debian:9", {"Name": "e"})
        self.assertEqual(self.rest(), ["b", "c", "d", "e"])

    def test_deleted_before_its_details(self) -> None:
        """A vulnerability that was deleted after it was listed is no error, and not counted: it is gone."""
        self.step()
        self.double.delete("debian:9", "b")
        self.assertEqual(self.rest(), ["c", "d"])
        self.assertEqual(self.listing.skipped, {})

    def test_deleted_after_it_was_read(self) -> None:
        """A vulnerability that was deleted after it was read is named as gone."""
        self.step()
        self.double.delete("debian:9", "a")
        self.assertEqual(self.rest(), ["b", "c", "d"])
        self.assertEqual(self.listing.gone, {("debian-9", "a", "")})

    def test_never_there(self) -> None:
        """A vulnerability that is listed, and cannot be fetched each time, is skipped, and counted."""
        self.resource = Scripted(
            lambda target: page_of("a", "b") if "limit" in target else (404, b'{"Error":{"Message":"x"}}')
        )
        listing = self.source().listing("debian-9")
        self.assertEqual(self.read(listing), [])
        self.assertEqual(listing.skipped, {GONE: 2})

    def test_restarted_while_details_are_read(self) -> None:
        """A restart of Clair, or an hour, does not matter once the names are known."""
        self.step()
        self.double.restart()
        self.clock.advance(3601)
        self.assertEqual(self.rest(), ["b", "c", "d"])

    def test_bad_request_without_a_token(self) -> None:
        """An error for the first page is not a change of the list."""
        self.resource = Scripted(lambda target: (400, b'{"Error":{"Message":"x"}}'))
        failure = self.failureResultOf(self.reading(self.source().listing("debian-9")), SourceError)
        self.assertFalse(failure.check(ListChanged))


class ParallelTests(MemoryCase):
    """Responses that arrive late."""

    def test_in_order(self) -> None:
        """Details that arrive in another order are yielded in that of the list; waiting ones count as in progress."""
        names = ["a", "b", "c", "d", "e", "f"]
        self.resource = Scripted(lambda target: page_of(*names) if "limit" in target else None)
        reading = self.reading(self.source().listing("debian-9"))
        self.assertEqual(list(self.resource.held), [target_of(name) for name in names[:4]])
        for name in ("d", "b", "c"):
            self.resource.release(target_of(name), 200, details_of(name))
        self.pass_time(0)
        self.assertEqual(list(self.resource.held), [target_of("a")])
        for name in ("a", "f", "e"):
            if target_of(name) in self.resource.held:
                self.resource.release(target_of(name), 200, details_of(name))
            self.pass_time(0)
        self.resource.release(target_of("f"), 200, details_of("f"))  # the last once more
        self.pass_time(0)
        self.assertEqual([found.name for found in self.successResultOf(reading)], names)

    def test_four_at_once(self) -> None:
        """At most four requests are in progress, however many lists of a source are read at once."""
        self.double.load("debian:9", named(*"abcdefgh"))
        self.double.load("debian:10", named(*"abcdefgh"))
        self.double.delay = 1
        source = self.source()
        readings = [self.reading(source.listing(platform)) for platform in ("debian-9", "debian-10")]
        self.pass_time(10)
        self.assertEqual([len(self.successResultOf(reading)) for reading in readings], [8, 8])
        self.assertEqual(self.double.most_parallel, 4)

    def test_cancelled(self) -> None:
        """Cancelling a listing ends its requests, and no further one is sent."""
        self.double.load("debian:9", named(*"abcdefgh"))
        self.double.delay = 10
        reading = self.reading(self.source().listing("debian-9"))
        self.pass_time(11)
        self.assertEqual(self.double.under_way, 4)
        reading.cancel()
        self.failureResultOf(reading, CancelledError)
        self.pass_time(200)
        self.assertEqual(self.double.under_way, 0)
        self.assertEqual(self.double.requests, {"list": 1, "details": 4})

    def test_given_up(self) -> None:
        """Closing the iterator before its end ends its requests."""
        self.resource = Scripted(lambda target: page_of(*"abcdefgh") if "limit" in target else None)
        listing = self.source().listing("debian-9")

        async def first() -> str:
            async for vulnerability in listing:
                return vulnerability.name
            return "none"

        taking = self.deferred(first())
        self.resource.release(target_of("a"), 200, details_of("a"))
        self.pass_time(100)
        self.assertEqual(self.successResultOf(taking), "a")
        self.assertEqual(sorted(self.resource.lost), [target_of(name) for name in "bcd"])
        self.assertEqual(len(self.resource.targets), 5)

    def test_rate(self) -> None:
        """With a rate, requests are sent one by one and evenly spaced, those for lists and for details alike."""
        self.double.load("debian:9", named(*"abcde"))
        reading = self.reading(self.source(rate=2.0).listing("debian-9"))
        for number in range(1, 8):
            self.assertEqual(self.double.requests.total(), number)
            self.pass_time(0.25, 0.25)
            self.assertEqual(self.double.requests.total(), number)
            self.assertNoResult(reading)
            self.pass_time(0.25, 0.25)
        self.assertEqual(len(self.successResultOf(reading)), 5)
        self.assertEqual(self.double.requests.total(), 8)

    def test_a_slow_walk_keeps_its_place(self) -> None:
        """A walk of many hours is completed."""
        self.double.load("debian:9", named(*(f"CVE-{number}" for number in range(300))))
        reading = self.reading(self.source(rate=0.02).listing("debian-9"))
        self.pass_time(50 * 350, 50)
        self.assertEqual(len(self.successResultOf(reading)), 300)


class EndlessTests(MemoryCase):
    """Lists that do not end."""

    def test_empty_pages_for_ever(self) -> None:
        """A Clair that sends empty pages and always announces another one is given up."""
        self.resource = Scripted(lambda target: page_of(token=f"token-{len(self.resource.targets)}"))
        self.assertIn("does not end", self.refusal(self.source().listing("debian-9"), SourceError))
        self.assertLess(len(self.resource.targets), 10)

    def test_the_same_token_for_ever(self) -> None:
        """A page that refers to itself is an error."""
        self.resource = Scripted(
            lambda target: page_of("a", token="same") if "limit" in target else (200, details_of("a"))
        )
        self.assertIn("does not end", self.refusal(self.source().listing("debian-9"), SourceError))
        self.assertLess(len(self.resource.targets), 10)

    def test_full_pages_for_ever(self) -> None:
        """A list with more pages than allowed is given up."""
        self.patch(clair_walk, "MAX_PAGES", 5)
        self.resource = Scripted(
            lambda target: (
                page_of("a", token=f"token-{len(self.resource.targets)}")
                if "limit" in target
                else (200, details_of("a"))
            )
        )
        self.assertIn("does not end", self.refusal(self.source().listing("debian-9"), SourceError))
        self.assertEqual(len(self.resource.targets), 5)

    def test_an_empty_page_in_between(self) -> None:
        """A single empty page is skipped."""
        pages = {"": page_of(token="2"), "2": page_of("a", token="3"), "3": page_of("b")}
        self.resource = Scripted(
            lambda target: (
                pages[target.partition("page=")[2]]
                if "limit" in target
                else (200, details_of(target.rpartition("/")[2].partition("?")[0]))
            )
        )
        found = self.read(self.source().listing("debian-9"))
        self.assertEqual([vulnerability.name for vulnerability in found], ["a", "b"])
