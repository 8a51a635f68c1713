"""Lists that must be signed: a list is refused if it is not signed, was changed or truncated, or is not the newest."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from twisted.internet.defer import ensureDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.client.cache import ListCache
from patches.scanner.client.client import ClientSettings, PatchesClient
from patches.scanner.client.trust import NotTrusted, SeenLists, SeenListsError, Trust
from patches.scanner.outcome import Outcome, Target, Verdict
from patches.scanner.scan import Policy, scan
from patches.signing import (
    SigningKey,
    VerifyKey,
    create_keys,
    enriched_manifest_bytes,
    manifest_bytes,
    sized_manifest_bytes,
)
from patches.vulnerability import FixedPackage, Vulnerability
from patches.wire import StreamDigest, digest, encode_line, rfc3339
from tests.integration.sample_host import write_host
from tests.scanner.scripted_client import REFUSED, Canned, CannedHTTP, chunk, document, end, error, session

HOUR = 3600.0
NOW = 1_700_000_000.0


def lines(count: int) -> bytes:
    """Return the body of a chunk with vulnerabilities of sudo, which is installed."""
    each = (Vulnerability(f"CVE-2024-{n:04}", "debian-12", (FixedPackage("sudo", "2"),)) for n in range(count))
    return b"".join(encode_line(vulnerability) for vulnerability in each)


FIVE, NINE = lines(5), lines(9)


def described(body: bytes, checked: float = NOW, revision: str = "r1") -> dict[str, Any]:
    """Return the description of a list of one chunk."""
    whole = StreamDigest()
    whole.add(digest(body))
    return {
        "revision": revision,
        "created": rfc3339(NOW - HOUR),
        "checked": rfc3339(checked),
        "vulnerabilities": body.count(b"\n"),
        "chunks": 1,
        "digest": whole.hexdigest(),
    }


class TrustCase(SynchronousTestCase):
    """A host with a trusted key, and the server that answers it."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.folder = Path(self.mktemp())
        self.root = write_host(Path(self.mktemp()), "debian", "12", {"sudo": "1"})
        path = Path(self.mktemp())
        public = create_keys(path)
        self.key, self.verify_key = SigningKey.from_file(path), VerifyKey.from_file(public)

    def numbered(self, body: bytes, checked: float, revision: str, serial: Any) -> dict[str, Any]:
        """Return the signed description of a list with a serial number."""
        snapshot = {**self.signed(body, checked, revision), "bytes": len(body), "serial": serial}
        return {**snapshot, "sizeSignature": self.key.sign(sized_manifest_bytes("debian-12", snapshot))}

    def signed(self, *args: Any, platform: str = "debian-12", **changes: Any) -> dict[str, Any]:
        """Return the signed description of a list, as the server with the key sends it."""
        snapshot = described(*args, **changes)
        return {**snapshot, "signature": self.key.sign(manifest_bytes(platform, snapshot))}

    def scan(self, *answers: object, now: float = NOW, keep: bool = False) -> Outcome:
        """Scan the host."""
        self.http = CannedHTTP(*answers)  # type: ignore[arg-type]
        settings = ClientSettings(contact=timedelta(0), patience=timedelta(seconds=1))
        trust = Trust(self.verify_key, SeenLists(self.folder / "seen"), lambda: now)
        client = PatchesClient(self.http, "http://server", self.clock, settings, lambda: 0.0, trust)
        target = Target("web-1", "debian-12", self.root)
        cache = ListCache(self.folder / "cache", "debian-12") if keep else None
        policy = Policy(timedelta(days=7))
        scanning = ensureDeferred(scan(client, target, policy, wall=lambda: now, cache=cache))
        self.clock.pump([1] * 5)
        return self.successResultOf(scanning)

    def served(self, snapshot: dict[str, Any], body: bytes = NINE, **changes: Any) -> list[Canned]:
        """Answer with a whole list that matches its description, apart from ``changes``."""
        return [session(snapshot=snapshot), chunk(body), end(body, **{"revision": snapshot["revision"], **changes})]

    def refused(self, why: str, *answers: object, now: float = NOW) -> None:
        """Check that a scan is incomplete for a reason."""
        outcome = self.scan(*answers, now=now)
        self.assertEqual((outcome.verdict, outcome.complete), (Verdict.INCOMPLETE, False))
        self.assertIn(why, str(outcome.problem))


class SignedTests(TrustCase):
    """The signatures of lists."""

    def test_enrichments(self) -> None:
        """The facts that a list claims to have must be signed, too."""
        snapshot = {**self.signed(NINE), "enrichments": ["kev"]}
        signature = self.key.sign(enriched_manifest_bytes("debian-12", snapshot))
        whole = {**snapshot, "enrichmentsSignature": signature}
        self.assertEqual(self.scan(*self.served(whole)).verdict, Verdict.FINDINGS)
        for changes in ({"enrichments": ["epss", "kev"]}, {"enrichments": []}, {"enrichmentsSignature": 1}):
            self.refused("not signed", *self.served({**whole, **changes}))
        self.refused("enrichmentsSignature", *self.served(snapshot))

    def test_signed(self) -> None:
        """A signed list is compared."""
        outcome = self.scan(*self.served(self.signed(NINE)))
        self.assertEqual((outcome.verdict, len(outcome.findings)), (Verdict.FINDINGS, 9))

    def test_unsigned(self) -> None:
        """A list without a signature, or with a malformed one, is refused before any chunk is requested."""
        self.refused("not signed", *self.served(described(NINE)))
        self.assertEqual([asked.method for asked in self.http.asked], ["POST", "DELETE"])
        for nonsense in (None, 7, "", "AAAA"):
            self.refused("not signed", *self.served({**described(NINE), "signature": nonsense}))

    def test_never_described(self) -> None:
        """A session that never describes its list is refused."""
        queued = session("queued")
        undescribed = document(200, {"session": "s1", "state": "active"})
        self.refused("without describing", queued, chunk(NINE), undescribed, end(NINE))
        self.refused("without describing", queued, end(revision="r1"), undescribed)

    def test_size(self) -> None:
        """If the size of the list is signed, it must not be another one."""
        signed = {**self.signed(NINE), "bytes": len(NINE)}
        signed["sizeSignature"] = self.key.sign(sized_manifest_bytes("debian-12", signed))
        self.assertEqual(len(self.scan(*self.served(signed)).findings), 9)
        for changes in ({"bytes": 10**9}, {"chunks": 2}, {"sizeSignature": signed["signature"]}, {"sizeSignature": 1}):
            self.refused("not signed as required", *self.served({**signed, **changes}))
        del signed["bytes"]
        self.refused("'bytes' is missing", *self.served(signed))

    def test_wrong_key(self) -> None:
        """A signature with another key is refused."""
        path = Path(self.mktemp())
        create_keys(path)
        self.key = SigningKey.from_file(path)
        self.refused("the list is not signed as required", *self.served(self.signed(NINE)))

    def test_key_changed(self) -> None:
        """A list that was verified is read to its end, also if the server signs with another key meanwhile."""
        other = Path(self.mktemp())
        create_keys(other)
        snapshot = self.signed(NINE)
        anew = {**snapshot, "signature": SigningKey.from_file(other).sign(manifest_bytes("debian-12", snapshot))}
        gone, resumed = error(404, "unknown-session"), session(snapshot=anew)
        outcome = self.scan(session(snapshot=snapshot), chunk(NINE), gone, resumed, end(NINE, revision="r1"))
        self.assertEqual((outcome.verdict, len(outcome.findings)), (Verdict.FINDINGS, 9))
        self.refused("not signed as required", session(snapshot=anew))

    def test_other_platform(self) -> None:
        """A list that was signed for another platform is refused."""
        self.refused("the list is not signed as required", *self.served(self.signed(NINE, platform="debian-11")))

    def test_any_field(self) -> None:
        """A description that was changed after it was signed, or lacks a member, is refused."""
        good = self.signed(NINE)
        for name in ("revision", "created", "checked", "vulnerabilities", "digest"):
            other = good[name] + 1 if name == "vulnerabilities" else good[name][::-1]
            self.refused("the list is not signed as required", *self.served({**good, name: other}))
            less = {key: value for key, value in good.items() if key != name}
            self.refused("is missing", session(snapshot=less))


class ContentTests(TrustCase):
    """The received list must be the signed one."""

    def test_tampered(self) -> None:
        """Records that were changed on the way are refused, even if all digests on the way were adapted."""
        tampered = NINE.replace(b'"sudo"', b'"nosu"')
        self.refused("digest", *self.served(self.signed(NINE), tampered))

    def test_truncated(self) -> None:
        """A truncated list is refused, even if its end says that it is complete."""
        self.refused("the list does not match its end", *self.served(self.signed(NINE), FIVE))
        self.refused("the list does not match its end", session(snapshot=self.signed(NINE)), end())

    def test_exchanged(self) -> None:
        """A session that starts with a signed list cannot continue with another one."""
        resumed = session(snapshot=described(FIVE))
        opened = session(snapshot=self.signed(NINE))
        self.refused("changed the description", opened, error(410, "expired"), resumed, chunk(FIVE), end(FIVE))


class NewestTests(TrustCase):
    """The received list must be the newest."""

    def test_rolled_back(self) -> None:
        """A list that is older than one that was seen is refused, although its signature is valid."""
        self.scan(*self.served(self.signed(NINE, NOW, "r2")))
        self.refused("a newer one was seen", *self.served(self.signed(FIVE, NOW - HOUR, "r1"), FIVE))
        self.refused("a newer one was seen", *self.served(self.signed(FIVE, NOW - HOUR, "r1"), FIVE), now=NOW + HOUR)
        newer = self.scan(*self.served(self.signed(FIVE, NOW + HOUR, "r3"), FIVE), now=NOW + HOUR)
        self.assertEqual(len(newer.findings), 5)

    def test_set_back(self) -> None:
        """A list that was published after the server's time of day was set back is newer by its serial number."""
        number = int(NOW)
        before = self.numbered(NINE, NOW, "r1", number)
        self.scan(*self.served(before))
        after = self.numbered(FIVE, NOW - HOUR, "r2", number + 1)
        self.assertEqual(len(self.scan(*self.served(after, FIVE)).findings), 5)
        self.refused("a newer one was seen", *self.served(before))
        again = self.numbered(FIVE, NOW - HOUR / 2, "r2", number + 1)
        self.assertEqual(len(self.scan(*self.served(again, FIVE)).findings), 5)
        self.refused("a newer one was seen", *self.served(before))

    def test_no_serial(self) -> None:
        """A replayed list is older also if its second statement is taken away, or another number is written."""
        number = int(NOW)
        before = self.numbered(NINE, NOW, "r1", number)
        self.scan(*self.served(before))
        self.scan(*self.served(self.numbered(FIVE, NOW - HOUR, "r2", number + 1), FIVE))
        less = {name: value for name, value in before.items() if name not in ("sizeSignature", "serial")}
        self.refused("a newer one was seen", *self.served(less))
        self.refused("a newer one was seen", *self.served({**less, "serial": number + 2}))
        self.refused("not signed as required", *self.served({**before, "serial": number + 2}))
        for odd in (-1, 10**12, 1.5, "7", True):
            self.refused("no valid serial number", *self.served(self.numbered(NINE, NOW, "r1", odd)))

    def test_earlier_versions(self) -> None:
        """A list that a scanner of an earlier version has seen is as new as the time of its check."""
        self.scan(*self.served(self.signed(NINE)))
        path = self.folder / "seen" / "debian-12.json"
        path.write_text(json.dumps({"revision": "r1", "checked": NOW}))
        self.refused("a newer one was seen", *self.served(self.numbered(FIVE, NOW, "r0", int(NOW) - 1), FIVE))
        self.assertEqual(len(self.scan(*self.served(self.numbered(FIVE, NOW, "r2", int(NOW)), FIVE)).findings), 5)

    def test_seen_is_enough(self) -> None:
        """A list counts as seen from its announcement, even if it is then not received whole."""
        self.refused("cannot be reached", session(snapshot=self.signed(NINE, NOW, "r2")), *[REFUSED] * 9)
        self.refused("a newer one was seen", *self.served(self.signed(FIVE, NOW - HOUR, "r1"), FIVE))

    def test_same_list(self) -> None:
        """The same list from another server that checked its sources earlier does not count as older."""
        self.scan(*self.served(self.signed(NINE, NOW)))
        again = self.scan(*self.served(self.signed(NINE, NOW - 60)))
        self.assertIs(again.verdict, Verdict.FINDINGS)
        self.refused("a newer one was seen", *self.served(self.signed(FIVE, NOW - 30, "r0"), FIVE))

    def test_content_that_comes_back(self) -> None:
        """A list with an earlier content does not count as older if it was checked later."""
        self.scan(*self.served(self.signed(NINE, NOW - 2 * HOUR, "a")))
        self.scan(*self.served(self.signed(FIVE, NOW - HOUR, "b"), FIVE))
        self.assertEqual(len(self.scan(*self.served(self.signed(NINE, NOW, "a"))).findings), 9)

    def test_too_old(self) -> None:
        """On a host that has not seen a list yet, an old list is stale, never clean."""
        outcome = self.scan(*self.served(self.signed(NINE)), now=NOW + 8 * 24 * HOUR)
        self.assertIs(outcome.verdict, Verdict.STALE)

    def test_future(self) -> None:
        """A time in the future is refused: it would make every later list an old one."""
        self.refused("in the future", *self.served(self.signed(NINE, NOW + 48 * HOUR)))
        self.assertIs(self.scan(*self.served(self.signed(NINE))).verdict, Verdict.FINDINGS)

    def test_no_time(self) -> None:
        """A list without a time is refused, for the same reason."""
        snapshot = {**described(NINE), "checked": "today"}
        signature = self.key.sign(manifest_bytes("debian-12", snapshot))
        self.refused("has no valid time of its last check", *self.served({**snapshot, "signature": signature}))

    def test_forgotten(self) -> None:
        """If the record of seen lists cannot be read, no list is trusted; the reason says how to repair it."""
        self.scan(*self.served(self.signed(NINE)))
        path = self.folder / "seen" / "debian-12.json"
        for damage in ("", "[]", '{"revision": "r1"}', '{"revision": "r1", "checked": "never"}'):
            path.write_text(damage)
            self.refused("delete it", *self.served(self.signed(NINE)))
        path.write_text('{"version": 2, "newest": []}')
        self.refused("a later version of Patches", *self.served(self.signed(NINE)))
        path.unlink()
        self.assertIs(self.scan(*self.served(self.signed(NINE))).verdict, Verdict.FINDINGS)

    def test_flipped_bits(self) -> None:
        """Any flipped bit of the record is noticed: no list is trusted, also none that is older than the one seen."""
        self.scan(*self.served(self.signed(NINE, NOW, "r2")))
        path = self.folder / "seen" / "debian-12.json"
        content, seen = path.read_bytes(), SeenLists(path.parent)
        right = seen.newest("debian-12")
        for position in range(8 * len(content)):
            flipped = bytearray(content)
            flipped[position // 8] ^= 1 << position % 8
            path.write_bytes(flipped)
            try:
                self.assertEqual(seen.newest("debian-12"), right, position)
            except SeenListsError:
                continue

    def test_not_remembered(self) -> None:
        """If the record cannot be written, the scan goes on; until the process ends, no older list is trusted."""
        self.folder.write_text("no folder")
        seen = SeenLists(self.folder / "seen")
        trust = Trust(self.verify_key, seen, lambda: NOW)
        trust.admit("debian-12", self.signed(NINE, NOW, "r2"))
        self.assertIn("Not a directory", str(seen.trouble.why))
        self.assertRaises(NotTrusted, trust.admit, "debian-12", self.signed(NINE, NOW - HOUR))
        self.folder.unlink()
        trust.admit("debian-12", self.signed(NINE, NOW + 1, "r3"))
        self.assertIsNone(seen.trouble.why)
        self.assertEqual(SeenLists(self.folder / "seen").newest("debian-12"), seen.newest("debian-12"))


class KeptTests(TrustCase):
    """The cached list must be signed as well."""

    def test_unchanged(self) -> None:
        """The statement that a list is unchanged must be signed as well."""
        self.scan(*self.served(self.signed(NINE)), keep=True)
        later = {"unchanged": True, "platform": "debian-12", "snapshot": self.signed(NINE, NOW + HOUR)}
        outcome = self.scan(document(200, later), keep=True, now=NOW + HOUR)
        self.assertEqual((len(outcome.findings), outcome.list_info.away), (9, None))
        forged = {**later, "snapshot": described(NINE, NOW + 24 * HOUR)}
        outcome = self.scan(document(200, forged), keep=True, now=NOW + 24 * HOUR)
        self.assertEqual((outcome.verdict, outcome.problem), (Verdict.INCOMPLETE, "the list is not signed"))

    def test_away(self) -> None:
        """The cached list is compared while the server is away, unless its description was changed or never signed."""
        self.scan(*self.served(self.signed(NINE)), keep=True)
        self.assertEqual(len(self.scan(REFUSED, keep=True).findings), 9)
        path = self.folder / "cache" / "debian-12.json"
        told = json.loads(path.read_text())
        for snapshot in ({**told["snapshot"], "checked": rfc3339(NOW + HOUR)}, described(NINE)):
            path.write_text(json.dumps({**told, "snapshot": snapshot}))
            self.assertIs(self.scan(REFUSED, keep=True).verdict, Verdict.INCOMPLETE)
