"""The metrics of first scanners, as Prometheus reads them."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from tests.server.server_case import ServerCase


class FirstScannerMetricsTests(ServerCase):
    """Sessions and events."""

    def values(self) -> dict[str, float]:
        """Return the samples of first scanners, by their only label."""
        families = text_string_to_metric_families(self.ask("GET", "/metrics").body.decode())
        samples = (sample for family in families for sample in family.samples)
        return {
            label: sample.value
            for sample in samples
            if sample.name.startswith("patches_first_scanner_")
            for label in sample.labels.values()
        }

    def test_counts(self) -> None:
        """Sessions are counted by platform, and apart from those of other scanners; events by their name."""
        for _ in range(3):
            self.ask("GET", "/vulns?platform=alpine-3.20")
        expected = {"alpine-3.20": 2, "debian-12": 0, "opened": 2, "slices": 2, "denied": 1}
        self.assertEqual(self.values(), {**expected, "completed": 0, "expired": 0, "repeated": 0, "reopened": 0})
        self.assertEqual(len(self.session_service.sessions), 0)
