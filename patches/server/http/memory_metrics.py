"""The metrics of memory and of connections, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from patches.http.bounded_site import BoundedSite
from patches.server.budget import PURPOSES
from patches.service.budget import Budget
from patches.service.memory_governor import GovernorState, MemoryGovernor

#: The reasons for which a site ends connections.
ENDINGS = ("displaced", "overdue", "crowded", "shed", "refused")


class MemoryMetrics(Collector):
    """The bytes of the budget, what is resident, what the governor did, and the connections of the site."""

    def __init__(self, budget: Budget, governor: MemoryGovernor, site: BoundedSite) -> None:
        self._budget = budget
        self._governor = governor
        self._site = site

    def collect(self) -> Iterator[Metric]:
        """Yield every metric."""
        yield from self._granted()
        yield from self._governed()
        yield GaugeMetricFamily("patches_connections", "Connections now.", value=len(self._site))
        yield GaugeMetricFamily(
            "patches_requests_half_read", "Requests that are not whole.", value=self._site.half_read
        )
        ended = CounterMetricFamily("patches_connections_ended", "Connections ended by the server.", labels=["reason"])
        for reason in ENDINGS:
            ended.add_metric([reason], self._site.ended[reason])
        yield ended

    def _granted(self) -> Iterator[Metric]:
        granted = GaugeMetricFamily("patches_memory_granted_bytes", "Bytes granted by the budget.", labels=["purpose"])
        denied = CounterMetricFamily("patches_memory_denied", "Refusals of the budget.", labels=["purpose"])
        for purpose in PURPOSES:
            granted.add_metric([purpose], self._budget.used[purpose])
            denied.add_metric([purpose], self._budget.denied[purpose])
        yield from (granted, denied)

    def _governed(self) -> Iterator[Metric]:
        governor = self._governor
        yield GaugeMetricFamily("patches_memory_limit_bytes", "The memory limit, in bytes.", value=governor.limit)
        resident = governor.measure()
        yield GaugeMetricFamily("patches_memory_resident_bytes", "Resident bytes, with workers.", value=resident)
        states = GaugeMetricFamily("patches_memory_governor", "1 for the state it is in.", labels=["state"])
        for state in GovernorState:
            states.add_metric([str(state)], governor.state is state)
        yield states
        steps = CounterMetricFamily("patches_memory_governor_steps", "What the governor did.", labels=["step"])
        for step in ("closed", "given-back", *(shedder.what for shedder in governor.shedders)):
            steps.add_metric([step], governor.counts[step])
        yield steps
