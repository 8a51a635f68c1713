"""The cached list: compared if the list is unchanged or the server is away; never compared if it is damaged."""

from __future__ import annotations

import json
import os
import time
from datetime import timedelta
from pathlib import Path

from twisted.internet.defer import ensureDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.client.cache import ListCache
from patches.scanner.client.client import ClientSettings, PatchesClient
from patches.scanner.outcome import Outcome, Target, Verdict
from patches.scanner.output.table import summary
from patches.scanner.scan import Policy, scan
from patches.vulnerability import FixedPackage, Vulnerability
from patches.wire import StreamDigest, digest, encode_line
from tests.integration.sample_host import write_host
from tests.scanner.scripted_client import REFUSED, Canned, CannedHTTP, chunk, end, error, session

LIST = b"".join(
    encode_line(Vulnerability(f"CVE-2024-{n:04}", "debian-12", (FixedPackage("sudo", "2"),))) for n in range(9)
)
CHECKED = 1_700_000_000.0


def told(body: bytes = LIST, checked: str = "2023-11-14T22:13:20Z") -> dict[str, object]:
    """Return the description of a list's snapshot."""
    whole = StreamDigest()
    whole.add(digest(body))
    facts = {"revision": "r1", "created": checked, "checked": checked, "vulnerabilities": 9, "chunks": 1}
    return {**facts, "digest": whole.hexdigest()}


def opened() -> Canned:
    """Answer as a server that opens a session."""
    return session(snapshot=told())


def unchanged(checked: str = "2023-11-15T22:13:20Z") -> Canned:
    """Answer as a server whose list is unchanged."""
    body = {"unchanged": True, "platform": "debian-12", "snapshot": told(checked=checked)}
    return Canned(200, json.dumps(body).encode(), {"Content-Type": "application/json"})


class CacheCase(SynchronousTestCase):
    """A host that caches its list."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.folder = Path(self.mktemp())
        self.root = write_host(Path(self.mktemp()), "debian", "12", {"sudo": "1", "bash": "5"})

    def scan(self, *answers: object, hours: float = 0.0, keep: bool = True) -> Outcome:
        """Scan the host some hours after the list was first checked."""
        self.http = CannedHTTP(*answers)  # type: ignore[arg-type]
        settings = ClientSettings(contact=timedelta(0), patience=timedelta(seconds=1))
        client = PatchesClient(self.http, "http://server", self.clock, settings, jitter=lambda: 0.0)
        target = Target("web-1", "debian-12", self.root)
        cache = ListCache(self.folder, "debian-12") if keep else None
        wall = CHECKED + hours * 3600
        scanning = ensureDeferred(scan(client, target, Policy(timedelta(days=7)), wall=lambda: wall, cache=cache))
        self.clock.pump([1] * 5)
        return self.successResultOf(scanning)

    def keep(self) -> None:
        """Scan once, so that the list is cached."""
        self.assertIs(self.scan(opened(), chunk(LIST), end(LIST, revision="r1")).verdict, Verdict.FINDINGS)

    def files(self) -> list[str]:
        """Return the description of the cached list."""
        return sorted(path.name for path in self.folder.iterdir())


class CacheTests(CacheCase):
    """The list that a host is compared with."""

    def test_kept(self) -> None:
        """A list that was verified whole is cached, readable by its owner only, and no other file remains."""
        self.keep()
        self.assertEqual(self.files(), ["debian-12-r1.chunks", "debian-12.json"])
        self.assertEqual(self.folder.stat().st_mode & 0o777, 0o700)
        self.assertLess((self.folder / "debian-12-r1.chunks").stat().st_size, len(LIST) / 2)

    def test_unchanged(self) -> None:
        """If the list is unchanged nothing is sent, the findings are the same, and the last check is updated."""
        self.keep()
        outcome = self.scan(unchanged(), hours=24)
        self.assertEqual(json.loads(self.http.asked[0].body or b"")["since"], "r1")
        self.assertEqual((len(self.http.asked), outcome.verdict, len(outcome.findings)), (1, Verdict.FINDINGS, 9))
        self.assertEqual((outcome.list_info.away, outcome.list_info.checked), (None, "2023-11-15T22:13:20Z"))
        self.assertEqual(outcome.list_info.digest, told()["digest"])
        away = self.scan(REFUSED, hours=25)
        self.assertEqual(away.list_info.checked, "2023-11-15T22:13:20Z")

    def test_away(self) -> None:
        """If the server is away the cached list is compared, and the outcome says so."""
        self.keep()
        outcome = self.scan(REFUSED, hours=24)
        self.assertEqual((outcome.verdict, len(outcome.findings)), (Verdict.FINDINGS, 9))
        self.assertIn("cannot be reached", str(outcome.list_info.away))
        self.assertIn("From the cache", summary(outcome))
        self.assertIn("2023-11-14T22:13:20Z", summary(outcome))

    def test_cut_short(self) -> None:
        """The same holds if the list is not received whole; the cached list is not replaced by an incomplete one."""
        self.keep()
        before = self.files()
        other = session(snapshot={**told(), "revision": "r2"})
        outcome = self.scan(other, chunk(LIST), *[REFUSED] * 9)
        self.assertEqual((outcome.list_info.revision, self.files()), ("r1", before))
        self.assertIsNotNone(outcome.list_info.away)

    def test_old(self) -> None:
        """A cached list ages: when it is too old the scan is stale, not clean."""
        self.keep()
        outcome = self.scan(REFUSED, hours=24 * 8)
        self.assertEqual((outcome.verdict, outcome.complete), (Verdict.STALE, True))

    def test_never_kept(self) -> None:
        """Without a cached list, a server that is away makes the scan incomplete."""
        self.assertIs(self.scan(REFUSED).verdict, Verdict.INCOMPLETE)
        self.assertIs(self.scan(REFUSED, keep=False).verdict, Verdict.INCOMPLETE)

    def test_refused(self) -> None:
        """That a server does not know the platform is not believed while a verified list is in the cache."""
        self.assertIs(self.scan(error(404, "unknown-platform")).verdict, Verdict.UNSUPPORTED)
        self.keep()
        before = self.files()
        outcome = self.scan(error(404, "unknown-platform"))
        self.assertIs(outcome.verdict, Verdict.INCOMPLETE)
        self.assertIn("a verified list of this platform is in the cache", str(outcome.problem))
        self.assertEqual(self.files(), before)

    def test_replaced(self) -> None:
        """A newer list replaces the cached one."""
        self.keep()
        body = encode_line(Vulnerability("CVE-2024-0001", "debian-12"))
        snapshot = {**told(body), "revision": "r2", "vulnerabilities": 1}
        outcome = self.scan(session(snapshot=snapshot), chunk(body), end(body, revision="r2"))
        self.assertEqual((outcome.verdict, self.files()), (Verdict.CLEAN, ["debian-12-r2.chunks", "debian-12.json"]))

    def test_damaged(self) -> None:
        """A list damaged on disk is never compared as it is: it is fetched again, or the scan is incomplete."""
        chunks = self.folder / "debian-12-r1.chunks"
        damages = (
            lambda whole: whole[:-3],
            lambda whole: whole[:40] + b"?" + whole[41:],
            lambda whole: b"",
            lambda _: b"xx",
        )
        for damage in damages:
            self.keep()
            chunks.write_bytes(damage(chunks.read_bytes()))
            self.assertIs(self.scan(REFUSED).verdict, Verdict.INCOMPLETE)
            again = self.scan(unchanged(), opened(), chunk(LIST), end(LIST, revision="r1"))
            self.assertEqual((again.verdict, again.list_info.away), (Verdict.FINDINGS, None))
            self.assertNotIn("since", json.loads(self.http.asked[1].body or b""))
        for description in (b"", b"[]", b'{"version": 2}', b'{"version": 1, "snapshot": 7}'):
            (self.folder / "debian-12.json").write_bytes(description)
            self.assertIs(self.scan(REFUSED).verdict, Verdict.INCOMPLETE)

    def test_other_list(self) -> None:
        """A server that reports another list as unchanged is refused; it is there, so the cache does not stand in."""
        self.keep()
        body = {"unchanged": True, "snapshot": {**told(), "revision": "r7"}}
        answer = Canned(200, json.dumps(body).encode(), {"Content-Type": "application/json"})
        outcome = self.scan(answer)
        self.assertIs(outcome.verdict, Verdict.INCOMPLETE)
        self.assertIn("another list", str(outcome.problem))

    def test_not_away(self) -> None:
        """The cache stands in only for a server that cannot be reached, not for one that refuses or sends nonsense."""
        self.keep()
        before, snapshot = self.files(), {**told(), "revision": "r2"}
        for answers in (
            (error(400, "malformed"),),
            (error(404, "unknown-platform"),),
            (error(403, "denied"),),
            *((error(503, "queue-full", Retry_After=wait),) for wait in ("900", "1000000", "999999999")),
            (session(snapshot=snapshot), chunk(LIST, announced=b"x" * 32)),
            (session(snapshot=snapshot), chunk(LIST[:-9])),
            (session(snapshot=snapshot), chunk(LIST + LIST)),
            (session(snapshot=snapshot), chunk(LIST), end(LIST, digest="00" * 32)),
            (session(snapshot={**snapshot, "vulnerabilities": -1}),),
            (Canned(201, b"["),),
            (Canned(200, bytes(2 << 20)),),
        ):
            outcome = self.scan(*answers)
            self.assertIs(outcome.verdict, Verdict.INCOMPLETE)
            self.assertEqual((outcome.list_info.away, self.files()), (None, before))
        for answers in ((REFUSED,), (Canned(502, b"<html>"),), (Canned(504),)):
            self.assertIs(self.scan(*answers, *answers * 9).verdict, Verdict.FINDINGS)

    def test_two_scanners(self) -> None:
        """Two scanners that write to one cache at once have files of their own: one list is cached, and it is whole."""
        body, other = LIST, LIST[: len(LIST) // 9]
        writers = [ListCache(self.folder, "debian-12").keep() for _ in range(2)]
        for writer, content in zip(writers, (body, other), strict=True):
            assert writer is not None
            writer.add(content)
        for writer, content in zip(writers, (body, other), strict=True):
            assert writer is not None
            writer.commit({**told(content), "revision": str(len(content))})
            writer.close()
        cached = ListCache(self.folder, "debian-12").cached()
        assert cached is not None
        self.assertEqual((cached.revision, b"".join(cached.bodies())), (str(len(other)), other))
        self.assertEqual(len(list(self.folder.glob("*.chunks"))), 1)
        ListCache(self.folder, "debian-12").describe({**told(body), "revision": str(len(body))})
        self.assertEqual(cached, ListCache(self.folder, "debian-12").cached())

    def test_abandoned(self) -> None:
        """A file that was abandoned a day ago is removed; that of a scanner that may still run is not."""
        self.folder.mkdir()
        for name, age in (("debian-12.old.new", 90_000), ("debian-12.young.new", 60)):
            (self.folder / name).touch()
            os.utime(self.folder / name, (time.time() - age,) * 2)
        writer = ListCache(self.folder, "debian-12").keep()
        assert writer is not None
        writer.close()
        self.assertEqual([path.name for path in self.folder.iterdir()], ["debian-12.young.new"])

    def test_damaged_description(self) -> None:
        """A description of which anything was changed is not used."""
        self.scan(opened(), chunk(LIST), end(LIST, revision="r1"))
        path = self.folder / "debian-12.json"
        whole = path.read_bytes()
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        for position in range(0, len(whole), 7):
            path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
            cached = ListCache(self.folder, "debian-12").cached()
            self.assertTrue(cached is None or cached.snapshot == json.loads(whole)["snapshot"], position)

    def test_unusable_folder(self) -> None:
        """If the folder cannot be used the list is not cached, but the scan succeeds."""
        self.folder.write_text("a file")
        self.assertIs(self.scan(opened(), chunk(LIST), end(LIST, revision="r1")).verdict, Verdict.FINDINGS)
