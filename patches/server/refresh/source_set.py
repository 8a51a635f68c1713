"""The sources of a server: the configured ones, and public ones for platforms that those do not have."""

from __future__ import annotations

from collections.abc import Iterable, Set

from patches.interfaces import ISource
from patches.server.refresh.schedule import PublicSourceProvider
from patches.server.refresh.source_state import SourceList, SourceState, lists_about, problem_of

NOTHING = "no source has a list of any platform"


class SourceSet:
    """
    The sources of one server, and their states.

    :param configured: in the order of the configuration.
    :param public: provides public sources.
    """

    def __init__(self, configured: Iterable[ISource], public: PublicSourceProvider) -> None:
        states = [SourceState(source) for source in configured]
        self._configured = [state for state in states if state.source.enriches is None]
        self._enriching = [state for state in states if state.source.enriches is not None]
        self._public_enriching: list[SourceState] = []
        self._public = public
        self._found: dict[str, SourceState] = {}

    @property
    def states(self) -> list[SourceState]:
        """The states of all sources, the configured ones first, and the enriching ones last."""
        return [*self.of_platforms, *self.enriching]

    @property
    def enriching(self) -> list[SourceState]:
        """The states of the sources about all platforms, which no platform waits for."""
        return [*self._enriching, *self._public_enriching]

    @property
    def of_platforms(self) -> list[SourceState]:
        """The states of the sources that have lists of platforms."""
        public = {state.source.name: state for state in self._found.values()}
        return [*self._configured, *public.values()]

    @property
    def names(self) -> set[str]:
        """The names of all sources."""
        return {state.source.name for state in self.states}

    @property
    def all_lists(self) -> list[SourceList]:
        """The lists of all sources."""
        return [source_list for state in self.states for source_list in state.source_lists.values()]

    @property
    def is_configured(self) -> bool:
        """Whether any source was configured."""
        return bool(self._configured)

    @property
    def is_known(self) -> bool:
        """Whether all configured sources have reported their platforms."""
        return all(
            state.told and all(each.platforms or each.empty for each in state.source_lists.values())
            for state in self._configured
        )

    @property
    def platforms(self) -> set[str]:
        """The platforms of the configured sources, as far as they are known."""
        return {
            name
            for state in self._configured
            for source_list in state.source_lists.values()
            for name in source_list.platforms
        }

    @property
    def problem(self) -> str | None:
        """The problems of all sources, if there are any."""
        return problem_of(self.states)

    @property
    def is_empty(self) -> bool:
        """Whether there are sources, and all of them have reported that they have no lists."""
        return bool(self.of_platforms) and all(state.told and not state.source_lists for state in self.of_platforms)

    def states_of(self, platform: str) -> list[SourceState]:
        """Return the sources that may have lists of a platform; a public source has only the requested platforms."""
        return [*self._configured, *([self._found[platform]] if platform in self._found else [])]

    def source_lists(self, platform: str) -> list[SourceList]:
        """Return the lists about a platform, as far as they are known."""
        return lists_about(platform, self.states_of(platform))

    def add_public_sources(self, platforms: Set[str], now: float) -> set[str]:
        """
        Read exactly these platforms from public sources; new ones are read at once.

        :param now: seconds of the clock.
        :return: the names of sources that are no longer needed.
        """
        if platforms == self._found.keys():
            return set()
        taken = {state.source.name for state in (*self._configured, *self._enriching)}
        before, known = self._found, {state.source.name: state for state in self._found.values()}
        self._found = {}
        for platform, source in self._public.sources(platforms).items():
            if source.name not in taken:
                self._found[platform] = known.setdefault(source.name, SourceState(source))
                if platform not in before:
                    self._found[platform].retry_soon(now)
        gone = known.keys() - {state.source.name for state in self._found.values()}
        return gone | self._add_enriching(taken)

    def _add_enriching(self, taken: Set[str]) -> set[str]:
        """
        Read public sources about all platforms while a platform is read from one; a configured one of a kind is enough.

        :param taken: the names of configured sources.
        :return: the names of those that are no longer needed.
        """
        before = {state.source.name: state for state in self._public_enriching}
        kinds = {state.source.enriches for state in self._enriching}
        wanted = [each for each in self._public.enriching() if each.enriches not in kinds and each.name not in taken]
        self._public_enriching = [
            before.get(source.name) or SourceState(source) for source in (wanted if self._found else ())
        ]
        return before.keys() - {state.source.name for state in self._public_enriching}

    def lacks(self, platform: str, now: float) -> bool:
        """Return whether a requested platform turned out to be absent from its public source."""
        state = self._found.get(platform)
        if state is None:
            return True
        source_lists = (source_list for source_list in state.source_lists.values() if not source_list.attempts.absent)
        return state.is_settled(now) and not any(platform in source_list.platforms for source_list in source_lists)

    def has_answered(self, now: float) -> bool:
        """Return whether every source was asked, with whatever result, and none is due."""
        return all(state.attempts.due > now for state in self.states)

    def recheck_all(self, now: float) -> None:
        """Re-check everything: another server was the leader in the meantime."""
        for state in self.states:
            state.recheck_all(now)
