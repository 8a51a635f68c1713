"""The metrics for Prometheus, read from the parts of the server at each request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from patches.server.catalogue.availability.watch import CatalogueWatch
from patches.server.refresh.list_state import ListState
from patches.server.refresh.refresher import Refresher
from patches.server.sessions.service import SessionService
from patches.server.sessions.states import LIVE

EVENTS = ("opened", "delta", "resumed", "activated", "completed", "closed", "expired", "denied", "slowed", "shed")


class Metrics:
    """
    The metrics of one server.

    :param wall: returns the time in seconds since the epoch.
    :param more: collectors of further metrics.
    :param watch: tells whether the catalogue can be read.
    """

    content_type = CONTENT_TYPE_LATEST

    def __init__(
        self,
        session_service: SessionService,
        refresh: Refresher,
        wall: Callable[[], float],
        more: Iterable[Collector] = (),
        watch: CatalogueWatch | None = None,
    ) -> None:
        self._watch = watch
        self._session_service = session_service
        self._refresh = refresh
        self._wall = wall
        self._registry = CollectorRegistry(auto_describe=False)
        for collector in (self, *more):
            self._registry.register(collector)

    def add(self, collector: Collector) -> None:
        """Add further metrics."""
        self._registry.register(collector)

    def render(self) -> bytes:
        """Return all metrics in the text format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """Yield every metric (the interface of a prometheus-client collector)."""
        yield from self._sessions()
        yield from self._lists()
        yield from self._sources()
        is_away = self._watch is not None and self._watch.problem is not None
        yield GaugeMetricFamily(
            "patches_catalogue_available", "0 while the catalogue cannot be read.", value=not is_away
        )

    def _sessions(self) -> Iterator[Metric]:
        sessions = self._session_service.sessions
        now = GaugeMetricFamily("patches_sessions", "Sessions now.", labels=["platform", "state"])
        for platform in sorted(self._refresh.statuses):
            for state in LIVE:
                now.add_metric([platform, str(state)], sessions.count(platform, state))
        yield now
        events = CounterMetricFamily("patches_session_events", "Session events.", labels=["event"])
        for event in EVENTS:
            events.add_metric([event], self._session_service.events[event])
        yield events
        served = self._session_service.events["served"]
        yield CounterMetricFamily("patches_chunks_served", "Chunks served to sessions.", value=served)
        yield GaugeMetricFamily(
            "patches_windows", "Cache windows that are open.", value=len(self._session_service.sessions.windows)
        )
        held = sum(window.holds_all for window in self._session_service.sessions.windows)
        yield GaugeMetricFamily("patches_lists_in_memory", "Windows that hold a whole list.", value=held)

    def _lists(self) -> Iterator[Metric]:
        age = GaugeMetricFamily("patches_snapshot_age_seconds", "Seconds since the last check.", labels=["platform"])
        size = GaugeMetricFamily("patches_snapshot_vulnerabilities", "Of the current snapshot.", labels=["platform"])
        failures = CounterMetricFamily("patches_refresh_failures", "Refreshes that failed.", labels=["platform"])
        failing = GaugeMetricFamily("patches_refresh_failing", "1 if the last refresh failed.", labels=["platform"])
        empty = GaugeMetricFamily("patches_list_empty", "1 if its sources have nothing about it.", labels=["platform"])
        growing = GaugeMetricFamily("patches_list_growing", "1 if it was still growing when read.", labels=["platform"])
        held_back = GaugeMetricFamily("patches_snapshot_held", "1 if a newer one is held back.", labels=["platform"])
        damaged = GaugeMetricFamily("patches_snapshot_damaged", "1 if it was found damaged.", labels=["platform"])
        for platform, status in sorted(self._refresh.statuses.items()):
            damaged.add_metric([platform], status.damage is not None)
            empty.add_metric([platform], status.is_empty)
            growing.add_metric([platform], status.is_growing)
            held_back.add_metric([platform], status.alarm is not None)
            failures.add_metric([platform], status.failed)
            failing.add_metric([platform], status.error is not None)
            if status.snapshot is not None:
                age.add_metric([platform], self._wall() - status.snapshot.checked)
                size.add_metric([platform], status.snapshot.vulnerabilities)
        yield from (age, size, empty, growing, held_back, damaged, failures, failing)
        states = GaugeMetricFamily("patches_lists", "Lists of sources in a state.", labels=["state"])
        counts = self._refresh.list_states
        for state in ListState:
            states.add_metric([str(state)], counts[state])
        yield states
        leads = self._refresh.leads()
        yield GaugeMetricFamily("patches_refresh_leader", "1 if this server refreshes the lists.", value=leads)

    def _sources(self) -> Iterator[Metric]:
        by = ["platform", "source"]
        claimed = GaugeMetricFamily("patches_source_claimed", "Entries that a source says it has.", labels=by)
        read = GaugeMetricFamily("patches_source_read", "Records read from a source.", labels=by)
        skipped = GaugeMetricFamily("patches_source_skipped", "Entries skipped.", labels=[*by, "reason"])
        for platform, status in sorted(self._refresh.statuses.items()):
            told = status.snapshot.sources if status.snapshot is not None else {}
            for source, counts in told.items():
                read.add_metric([platform, source], counts["read"])
                if "claimed" in counts:
                    claimed.add_metric([platform, source], counts["claimed"])
                for reason, count in counts["skipped"].items():
                    skipped.add_metric([platform, source, reason], count)
        left_out = GaugeMetricFamily("patches_source_left_out", "Names without a platform.", labels=["source"])
        for source, names in sorted(self._refresh.left_out.items()):
            left_out.add_metric([source], len(names))
        yield from (claimed, read, skipped, left_out)
