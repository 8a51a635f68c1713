"""The metrics of first scanners, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from patches.server.first_scanner.service import FirstScannerService

SLICE_EVENTS = ("opened", "reopened", "completed", "expired", "denied", "slices", "repeated")


class FirstScannerMetrics(Collector):
    """
    The sessions of first scanners, and their events.

    :param platforms: returns the platforms that are served.
    """

    def __init__(self, service: FirstScannerService, platforms: Callable[[], Iterable[str]]) -> None:
        self._service = service
        self._platforms = platforms

    def collect(self) -> Iterator[Metric]:
        """Yield every metric."""
        now = GaugeMetricFamily("patches_first_scanner_sessions", "Sessions of /vulns now.", labels=["platform"])
        for platform in sorted(self._platforms()):
            now.add_metric([platform], self._service.sessions.count(platform))
        yield now
        events = CounterMetricFamily("patches_first_scanner_events", "Events of /vulns.", labels=["event"])
        for event in SLICE_EVENTS:
            events.add_metric([event], self._service.events[event])
        yield events
