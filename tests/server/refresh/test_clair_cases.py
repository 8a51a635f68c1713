"""
Events in a Clair: for how long the served list is wrong after each, and the number of requests until it is right.

Each test prints its figures: ``pytest -rP tests/server/refresh/test_clair_cases.py``. The list has 3,000 entries; Clair
is asked every half hour, as by default.
"""

from __future__ import annotations

from collections.abc import Callable

from patches.skipped import SLASH
from patches.sources.clair.source import ClairSettings, ClairSource
from patches.sources.fetch.retry import FetchSettings
from tests.server.clair_case import HALF_HOUR, ClairCase
from tests.sources.clair_in_memory import named

ENTRIES = 3_000
PAGES = ENTRIES // 500 + 1


class CaseTests(ClairCase):
    """Cases, each with the time until the served list was right, and the number of requests until then."""

    def setUp(self) -> None:
        super().setUp()
        self.double.load("debian:9", named(*(f"CVE-2020-{number:05}" for number in range(ENTRIES - 50))))
        self.tick(HALF_HOUR)
        for pause in (60, 120, 240, 480, 960):
            self.tick(pause)
        self.assertEqual(self.served(), ENTRIES)
        self.double.requests.clear()

    def served(self, platform: str = "debian-9") -> int:
        """Return the number of vulnerabilities of a list."""
        status = self.refresh.statuses.get(platform)
        return status.snapshot.vulnerabilities if status is not None and status.snapshot is not None else 0

    def until(self, is_right: Callable[[], bool], step: float = 60.0, most: float = 2 * HALF_HOUR) -> float:
        """Advance the time until the list is right. Return the seconds, and print the figures."""
        seconds = 0.0
        while not is_right():
            self.assertLess(seconds, most)
            self.tick(step)
            seconds += step
        print(f"{self.id().rpartition('.')[2]}: right after {seconds:.0f} s; requests: {dict(self.double.requests)}")
        return seconds

    def test_slash(self) -> None:
        """A name with a slash is served within half an hour, with what the list tells."""
        self.double.load("debian:9", [{"Name": "CVE-2018-14466 (AFS/RX)", "Severity": "High"}])
        self.until(lambda: self.served() == ENTRIES + 1)
        self.assertEqual(self.refresh.registry.current("debian-9").sources["clair"]["skipped"], {SLASH: 1})
        self.assertLessEqual(self.double.requests["details"], 5)

    def test_empty_namespace(self) -> None:
        """An empty namespace is known to be empty within half an hour; nothing else changes."""
        self.double.add_namespace("debian:11")
        statuses = self.refresh.statuses
        self.until(lambda: "debian-11" in statuses and statuses["debian-11"].is_empty)
        self.assertEqual((statuses["debian-11"].error, self.refresh.registry.ready), (None, True))

    def test_deleted(self) -> None:
        """An entry that is deleted in the middle is withdrawn within half an hour, without reading details again."""
        self.double.delete("debian:9", "CVE-2020-01000")
        self.assertLessEqual(self.until(lambda: self.served() == ENTRIES - 1), HALF_HOUR)
        self.assertLessEqual(self.double.requests["details"], 5)
        self.assertLessEqual(self.double.requests["list"], 4 * PAGES + 2)

    def test_late_lower_id(self) -> None:
        """An entry that appears in the middle, of a writer that commits late, is served within half an hour."""
        commit = self.double.begin_change("debian:9", {"Name": "CVE-2021-1"})
        self.change("CVE-2021-2", "1.0-1")
        self.until(lambda: self.served() == ENTRIES + 1)
        self.double.requests.clear()
        commit()
        self.assertLessEqual(self.until(lambda: self.served() == ENTRIES + 2), HALF_HOUR)
        self.assertLessEqual(self.double.requests["details"], 6)

    def test_restarted(self) -> None:
        """A restart with another key of the tokens costs the pages, and the details of what is new."""
        self.double.restart()
        self.change("CVE-2021-1", "1.0-1")
        self.assertLessEqual(self.until(lambda: self.served() == ENTRIES + 1), HALF_HOUR)
        self.assertLessEqual(self.double.requests["details"], 6)

    def test_server_restarted(self) -> None:
        """So does a restart of the server, at once."""
        self.change("CVE-2021-1", "1.0-1")
        self.start()
        self.assertEqual(self.until(lambda: self.served() == ENTRIES + 1, step=0.5), 0.5)
        self.assertLessEqual(self.double.requests["details"], 6)

    def test_loading(self) -> None:
        """A list that is loaded at 35 rows a second is not served as whole before it is, and is whole soon after."""
        self.double.add_namespace("debian:8")
        settings = ClairSettings(fetch=FetchSettings(tries=1))
        source = ClairSource(self.client(), "http://clair.test", self.clock, settings)
        self.configured = [source]
        self.refresh = self.create_refresher()
        loaded, seconds, too_early, growing = 0, 0, 0, 0
        while loaded < 3_000 or self.served("debian-8") < loaded:
            for _ in range(min(35, 3_000 - loaded)):
                loaded += 1
                self.change(f"CVE-2019-{loaded:05}", "1.0-1", "debian:8")
            self.tick(1.0)
            seconds += 1
            status = self.refresh.statuses.get("debian-8")
            growing += status is not None and status.is_growing
            too_early += status is not None and status.snapshot is not None and not status.is_growing
            self.assertLess(seconds, 300)
        ended = 3_000 / 35
        print(f"test_loading: loaded in {ended:.0f} s, whole {seconds - ended:.0f} s later; {self.double.requests}")
        self.assertLessEqual(seconds - ended, 5)
        self.assertEqual(too_early, 1)
        self.assertGreater(growing, 70)
        self.assertLessEqual(self.double.requests["details"], 3_000 + 150)

    def test_shared_rate(self) -> None:
        """With a rate for all requests, lists that are read side by side share it: a short one waits for no other."""
        for namespace, entries in (("debian:8", 500), ("debian:11", 100), ("debian:12", 500)):
            self.double.load(namespace, named(*(f"CVE-2021-{number:05}" for number in range(entries))))
        settings = ClairSettings(fetch=FetchSettings(tries=1, rate=10.0), quiet_seconds=0.0)
        self.configured = [ClairSource(self.client(), "http://clair.test", self.clock, settings)]
        self.refresh = self.create_refresher()
        seconds = 0.0
        while not self.served("debian-11"):
            self.tick(0.1)
            seconds += 0.1
        details = self.double.requests["details"]
        print(
            f"test_shared_rate: 100 entries, beside twice 500, were served after {seconds:.0f} s and {details} details"
        )
        self.assertEqual((self.served("debian-8"), self.served("debian-12")), (0, 0))
        self.assertTrue(250 < details < 350, details)
