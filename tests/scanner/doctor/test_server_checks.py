"""Tests for :mod:`patches.scanner.doctor.server_checks`."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import ensureDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.doctor.check import OK, PROBLEM, WARNING, Check
from patches.scanner.doctor.server_checks import ServerDoctor
from tests.scanner.scripted_client import REFUSED, Canned, CannedHTTP, document

URL = "http://lists.example"
DATE = {"Date": "Tue, 14 Nov 2023 22:13:20 GMT"}
NOW = 1_700_000_000.0


def listed(**refresh: Any) -> Canned:
    """Answer with the list of one platform."""
    platform = {"platform": "debian-12", "ageSeconds": 7200.0, "refresh": refresh}
    answer = document(200, {"platforms": [platform]})
    return Canned(answer.code, answer.body, {**answer.fields, **DATE})


READY = document(200, {"ready": True, "problem": None})
API = document(200, {"info": {"version": "2.0"}})


class ServerChecksTests(SynchronousTestCase):
    """A server, as it answers."""

    def checks(
        self,
        *answers: Any,
        server: str | None = URL,
        reporter: str | None = None,
        platform: str = "debian-12",
        now: float = NOW,
    ) -> dict[str, Check]:
        """Return the checks, by their names."""
        clock, made = Clock(), {}
        doctor = ServerDoctor(CannedHTTP(*answers), clock, server, reporter, platform, lambda: now)

        async def collect() -> None:
            async for each in doctor.checks():
                made[each.name] = each

        collecting = ensureDeferred(collect())
        clock.pump([1.0] * 30)
        self.successResultOf(collecting)
        return made

    def test_right(self) -> None:
        """A server with the list of the platform."""
        found = self.checks(listed(), READY, API)
        self.assertEqual({each.state for each in found.values()}, {OK}, found)
        self.assertEqual(found["server"].text, f"{URL} is a patches-server, version 2.0")
        self.assertEqual(found["the server's list of debian-12"].text, "checked 2 h ago")

    def test_alone(self) -> None:
        """That nobody listens at the default address is no problem; something else there is one."""
        self.assertEqual(self.checks(REFUSED, server=None)["server"].state, OK)
        self.assertEqual(self.checks(Canned(404, b"", {"Server": "nginx"}), server=None)["server"].state, PROBLEM)

    def test_wrong(self) -> None:
        """A server that is away, silent, another one, without lists, or with a problem of its sources."""
        for answers, state, text in (
            ((REFUSED,), PROBLEM, "connection refused"),
            ((), PROBLEM, "did not answer within 5 s"),
            ((Canned(200, b"<html>"), READY, API), PROBLEM, "is no patches-server"),
            ((listed(), document(503, {"ready": False, "problem": "x: DNS"}), API), PROBLEM, "no list yet: x: DNS"),
            ((listed(), document(200, {"ready": True, "problem": "x: DNS"}), API), WARNING, "a problem: x: DNS"),
        ):
            found = self.checks(*answers)["server"]
            self.assertEqual((found.state, text in found.text), (state, True), found)

    def test_list(self) -> None:
        """A list that is held back, or not there."""
        name = "the server's list of debian-12"
        self.assertIn("held back", self.checks(listed(alarm="held back"), READY, API)[name].text)
        found = self.checks(listed(), READY, API, platform="alpine-3.20")["the server's list of alpine-3.20"]
        self.assertEqual((found.state, found.text), (WARNING, "it has none"))

    def test_clock(self) -> None:
        """Clocks that differ by a minute are told; by more than ten minutes they are a problem."""
        for ahead, state in ((5, OK), (60, WARNING), (-60, WARNING), (3600, PROBLEM)):
            self.assertEqual(self.checks(listed(), READY, API, now=NOW - ahead)["clock"].state, state, ahead)

    def test_reporter(self) -> None:
        """A reporter API is there if it answers at all."""
        for answer, state in ((REFUSED, PROBLEM), (Canned(405), OK), (Canned(502), WARNING)):
            found = self.checks(REFUSED, answer, server=None, reporter="http://reports.example")
            self.assertEqual(found["reporter"].state, state)
