"""A host with a cached list fetches the delta and compares the new list; if that fails, it fetches the whole list."""

from __future__ import annotations

import gzip
from typing import Any

from patches.scanner.outcome import Outcome, Verdict
from patches.server.catalogue.delta import delta_chunks
from patches.vulnerability import FixedPackage, Vulnerability
from patches.wire import encode_line
from tests.scanner.client.test_cache import LIST, CacheCase, told
from tests.scanner.scripted_client import REFUSED, Canned, chunk, document, end, error, session


def encoded(count: int, fixed: str = "2") -> bytes:
    """Return another list of the host's vulnerabilities."""
    each = (Vulnerability(f"CVE-2024-{n:04}", "debian-12", (FixedPackage("sudo", fixed),)) for n in range(count))
    return b"".join(encode_line(vulnerability) for vulnerability in each)


LESS = encoded(7)
(CHANGES,) = (
    gzip.decompress(each.encoded)
    for each in delta_chunks(LIST.splitlines(keepends=True), LESS.splitlines(keepends=True), 1 << 20)
)
SNAPSHOT: dict[str, Any] = {**told(LESS), "revision": "r2", "vulnerabilities": 7}


def changed(since: str = "r1", cuts: Any = (7,), state: str = "active", **changes: Any) -> Canned:
    """Answer that a delta will be sent."""
    snapshot = {"snapshot": {**SNAPSHOT, **changes}} if state == "active" else {}
    delta = {"since": since, "changes": 2, "chunks": 1, "cuts": list(cuts)}
    return document(201, {"session": "s1", "state": state, "delta": delta, **snapshot})


END = end(LESS, revision="r2")
#: The session is deleted, and another one is opened.
WHOLE = (session(snapshot=SNAPSHOT), chunk(LESS), END)


class ChangedTests(CacheCase):
    """The list had nine records, and now has seven."""

    def setUp(self) -> None:
        super().setUp()
        self.keep()

    def check(self, outcome: Outcome) -> None:
        """Check that the new list was compared and cached."""
        self.assertEqual((outcome.verdict, len(outcome.findings), outcome.list_info.away), (Verdict.FINDINGS, 7, None))
        self.assertEqual((outcome.list_info.revision, outcome.list_info.digest), ("r2", SNAPSHOT["digest"]))
        self.assertEqual(self.files(), ["debian-12-r2.chunks", "debian-12.json"])
        again = self.scan(REFUSED)
        self.assertEqual((len(again.findings), again.list_info.revision), (7, "r2"))

    def test_applied(self) -> None:
        """The cached list and the delta result in the new list."""
        self.check(self.scan(changed(), chunk(CHANGES), END))

    def test_queued(self) -> None:
        """This also holds for a session that had to wait."""
        described = document(200, {"session": "s1", "state": "active", "snapshot": SNAPSHOT})
        self.check(self.scan(changed(state="queued"), chunk(CHANGES), described, END))

    def test_resumed(self) -> None:
        """This also holds for a session that was resumed."""
        self.check(self.scan(changed(), chunk(CHANGES), error(410, "expired"), changed(), END))

    def test_does_not_fit(self) -> None:
        """If the result is not the server's list, the whole list is requested."""
        bad_ends = [
            (changed(), chunk(CHANGES), end(LIST, revision="r2")),
            (changed(digest="00" * 32), chunk(CHANGES), END),
            (changed(vulnerabilities=8), chunk(CHANGES), END),
            (changed(cuts=[6]), chunk(CHANGES)),
            (changed(cuts=[8]), chunk(CHANGES), END),
            (changed(cuts=[3, 4]), chunk(CHANGES)),
            (changed(since="r0"),),
            (changed(), chunk(b"?\n")),
            (changed(), chunk(CHANGES[:-9] + b"\n")),
            (changed(), chunk(b""), END),
        ]
        for answers in bad_ends:
            self.keep()
            outcome = self.scan(*answers, *WHOLE)
            self.assertEqual(self.http.answers, [])
            is_closed = "DELETE" in [asked.method for asked in self.http.asked]
            self.assertEqual(is_closed, len(answers) < 3, "a session is closed unless its end was received")
            self.assertNotIn(b"since", self.http.asked[-3].body or b"")
            self.check(outcome)

    def test_damaged(self) -> None:
        """If the cached list is damaged, the whole list is requested."""
        path = self.folder / "debian-12-r1.chunks"
        path.write_bytes(path.read_bytes()[:-3])
        self.check(self.scan(changed(), *WHOLE))

    def test_no_head(self) -> None:
        """If the description of the delta is malformed, the scan is incomplete."""
        nonsense = document(201, {"session": "s1", "state": "active", "delta": {}, "snapshot": SNAPSHOT})
        outcome = self.scan(nonsense)
        self.assertIs(outcome.verdict, Verdict.INCOMPLETE)
        self.assertIn("description of the delta is malformed", str(outcome.problem))

    def test_cut_short(self) -> None:
        """If the server goes away in the middle of the delta, the cached list is compared."""
        outcome = self.scan(changed(), *[REFUSED] * 9)
        self.assertEqual((len(outcome.findings), outcome.list_info.revision), (9, "r1"))
        self.assertIn("cannot be reached", str(outcome.list_info.away))
