"""Tests for :mod:`patches.server.http.metrics`: the metrics that Prometheus reads."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from patches.errors import SourceError
from patches.server.budget import RESPONSES, SESSION_BYTES, WINDOW
from patches.server.sessions.chunk_response import MAX_RESPONSE_BYTES
from tests.server.fake_source import HOUR
from tests.server.server_case import MIB, ServerCase, bulky


class MetricsTests(ServerCase):
    """The metrics of a server."""

    def value(self, name: str, **labels: str) -> float | None:
        """Return the value of a sample in the text; ``None`` if there is no such sample."""
        for family in text_string_to_metric_families(self.metrics.render().decode()):
            for sample in family.samples:
                if (sample.name, sample.labels) == (name, labels):
                    return float(sample.value)
        return None

    def test_parses(self) -> None:
        """Each metric occurs once, and has a help text and a type."""
        families = list(text_string_to_metric_families(self.metrics.render().decode()))
        names = [family.name for family in families]
        self.assertEqual(len(names), len(set(names)))
        self.assertTrue(all(family.documentation and family.type in ("gauge", "counter") for family in families))
        self.assertTrue(all(name.startswith("patches_") for name in names))

    def test_sessions(self) -> None:
        """Sessions are counted by platform and state."""
        for _ in range(3):
            self.open()
        self.assertEqual(self.value("patches_sessions", platform="debian-12", state="active"), 2)
        self.assertEqual(self.value("patches_sessions", platform="debian-12", state="queued"), 1)
        self.assertEqual(self.value("patches_sessions", platform="alpine-3.20", state="active"), 0)
        self.assertEqual(self.value("patches_windows"), 1)

    def test_events(self) -> None:
        """The events of sessions are counted, from the opening to the end."""
        path = self.open("alpine-3.20")
        self.read(path, 0)
        self.read(path, 1)
        closed, _, _, _ = (self.open() for _ in range(4))
        self.post({"platform": "debian-12"})
        self.ask("DELETE", closed)
        self.post({"resume": closed.rpartition("/")[2], "chunk": 0})
        self.clock.advance(61)
        self.session_service.tick()
        self.clock.advance(61)
        self.session_service.tick()
        events = {"opened": 5, "activated": 4, "completed": 1, "denied": 1, "closed": 1, "resumed": 1}
        for event, count in events.items():
            self.assertEqual((event, self.value("patches_session_events_total", event=event)), (event, count))
        self.assertEqual(self.value("patches_session_events_total", event="expired"), 4)

    def test_lists(self) -> None:
        """The age and length of each list are reported, and whether its refresh fails."""
        self.tick(HOUR)
        self.put("debian-12", 5, SourceError("away"))
        self.tick(HOUR)
        self.clock.advance(10)
        labels = {"platform": "debian-12"}
        self.assertEqual(self.value("patches_snapshot_age_seconds", **labels), HOUR + 10)
        self.assertEqual(self.value("patches_snapshot_vulnerabilities", **labels), 9)
        self.assertEqual(self.value("patches_refresh_failing", **labels), 1)
        self.assertEqual(self.value("patches_refresh_failures_total", **labels), 1)
        self.assertEqual(self.value("patches_refresh_failing", platform="alpine-3.20"), 0)
        self.assertEqual(self.value("patches_list_empty", **labels), 0)
        states = {state: self.value("patches_lists", state=state) for state in ("idle", "waiting to retry", "polling")}
        self.assertEqual(states, {"idle": 1, "waiting to retry": 1, "polling": 0})

    def test_sources(self) -> None:
        """For each source the claimed, the read and the skipped records are reported, the latter by reason."""
        labels = {"platform": "debian-12", "source": "put"}
        self.assertIsNone(self.value("patches_source_claimed", **labels))
        self.source.skipped["no-version"] = 2
        self.source.claimed = 9 + 2
        self.source.lists["debian-12"] = [*bulky(9)]
        del self.source.lists["alpine-3.20"]
        self.tick(HOUR)
        self.assertEqual(self.value("patches_source_claimed", **labels), 11)
        self.assertEqual(self.value("patches_source_read", **labels), 9)
        self.assertEqual(self.value("patches_source_skipped", **labels, reason="no-version"), 2)

    def test_memory(self) -> None:
        """Memory is reported: granted and denied by purpose, the limit, and the resident size of the process."""
        self.open()
        self.budget.take(RESPONSES, 1 << 40)
        self.assertEqual(self.value("patches_memory_granted_bytes", purpose="sessions"), SESSION_BYTES)
        granted = self.value("patches_memory_granted_bytes", purpose="window") or 0
        self.assertEqual(granted, self.budget.used[WINDOW])
        self.assertGreaterEqual(granted, MAX_RESPONSE_BYTES)
        self.assertEqual(self.value("patches_memory_denied_total", purpose="responses"), 1)
        self.assertEqual(self.value("patches_memory_limit_bytes"), 64 * MIB)
        self.assertGreater(self.value("patches_memory_resident_bytes") or 0, MIB)

    def test_served(self) -> None:
        """Served chunks are counted."""
        path = self.open()
        self.read(path, 0)
        self.ask("GET", f"{path}/chunks/0")
        self.assertEqual(self.value("patches_chunks_served_total"), 2)

    def test_names(self) -> None:
        """The metrics do not name a session."""
        token = self.open().rpartition("/")[2]
        self.assertNotIn(token, self.metrics.render().decode())
