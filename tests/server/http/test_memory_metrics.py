"""Tests for :mod:`patches.server.http.memory_metrics`."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from patches.service.memory_governor import Shedder
from tests.server.memory_transport import request
from tests.server.server_case import MIB, ServerCase


class MemoryMetricsTests(ServerCase):
    """The memory and the connections of a server."""

    def values(self) -> dict[tuple[str, str], float]:
        """Return the samples by name and value of the label."""
        families = text_string_to_metric_families(self.metrics.render().decode())
        return {
            (sample.name, "".join(sample.labels.values())): sample.value
            for family in families
            for sample in family.samples
        }

    def test_governor(self) -> None:
        """The resident memory, the state of the governor, and each of its steps are shown."""
        self.governor.shedders = (Shedder("half-read requests", self.site.shed_half_read),)
        wire = self.connect()
        wire.send(b"GET / HTTP/1.1\r\n")
        self.governor.measure = lambda: 63 * MIB
        self.governor.tick()
        values = self.values()
        self.assertEqual(values["patches_memory_resident_bytes", ""], 63 * MIB)
        states = {state: values["patches_memory_governor", state] for state in ("open", "closed", "shedding")}
        self.assertEqual(states, {"open": 0, "closed": 0, "shedding": 1})
        self.assertEqual(values["patches_memory_governor_steps_total", "half-read requests"], 1)
        self.assertEqual(values["patches_memory_governor_steps_total", "closed"], 1)
        self.assertEqual(values["patches_connections_ended_total", "shed"], 1)

    def test_connections(self) -> None:
        """Connections are counted, also those whose requests are half read."""
        self.connect().send(request("GET", "/health"))
        self.connect().send(b"GET / HT")
        values = self.values()
        self.assertEqual((values["patches_connections", ""], values["patches_requests_half_read", ""]), (2, 1))
