"""The queue of publications: the platforms whose snapshot must be rebuilt from their lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from twisted.internet.defer import CancelledError

from patches.interfaces import ISource
from patches.server.catalogue.snapshot import Snapshot
from patches.server.refresh.publication.publisher import Publisher
from patches.server.refresh.retry_schedule import RetrySchedule
from patches.server.refresh.schedule import RefreshContext
from patches.vulnerability import ALL_PLATFORMS


class PublicationQueue:
    """
    The platforms that wait to be published; a publication that fails is retried.

    :param publisher: publishes one platform; blocks.
    """

    def __init__(self, context: RefreshContext, publisher: Publisher) -> None:
        self._context = context
        self._publisher = publisher
        self._attempts: dict[str, RetrySchedule] = {}

    def __contains__(self, platform: str) -> bool:
        return platform in self._attempts

    def add(self, platforms: Iterable[str]) -> None:
        """
        Add platforms whose lists have changed; one that failed is tried again at once.

        The lists of enriching sources are about all platforms, and are published by rules of their own.
        """
        self._attempts |= {platform: RetrySchedule() for platform in platforms if platform != ALL_PLATFORMS}

    def platforms(self) -> set[str]:
        """Return the platforms that wait."""
        return set(self._attempts)

    def due(self) -> list[str]:
        """Return the platforms that can be published now, in the order in which they were added."""
        now = self._context.clock.seconds()
        return [platform for platform, attempts in self._attempts.items() if attempts.due <= now]

    def attempts(self, platform: str) -> RetrySchedule | None:
        """Return the attempts to publish a platform; ``None`` if it does not wait."""
        return self._attempts.get(platform)

    async def publish(
        self, platform: str, sources: Sequence[ISource], checked: float, served: int = 0
    ) -> tuple[bool, Snapshot | None]:
        """
        Publish a platform. It stays in the queue if that fails, or if its lists have changed meanwhile.

        :param checked: the time at which all sources had these lists; seconds since the epoch.
        :param served: see :meth:`.Catalogue.publish`.
        :return: whether it succeeded, and the snapshot, which is current or ``held_back``; ``None`` if there is none.
        """
        context, attempts, published = self._context, self._attempts[platform], None

        async def work() -> None:
            nonlocal published
            try:
                times = checked, context.wall(), context.steady()
                published = await context.run(self._publisher.publish, platform, sources, *times, served)
            except CancelledError:
                self._publisher.stop()  # its thread is still at work
                raise

        interval, jitter = context.schedule.interval, context.schedule.jitter
        done = await attempts.run(f"The snapshot of {platform}", work, context.clock.seconds, interval, jitter)
        if done and self._attempts.get(platform) is attempts:
            del self._attempts[platform]
        return done, published
