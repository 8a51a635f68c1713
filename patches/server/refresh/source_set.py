"""What all sources offer: those that were configured, and public ones for what those have not."""

from __future__ import annotations

from collections.abc import Iterable, Set

from patches.interfaces import ISource
from patches.server.refresh.schedule import PublicSourceProvider
from patches.server.refresh.source_state import SourceList, SourceState, lists_about

NOTHING = "no source has a list of any platform"


class SourceSet:
    """
    The sources of one server, and what each of them has told.

    :param configured: in the order in which they were.
    :param public: has others.
    """

    def __init__(self, configured: Iterable[ISource], public: PublicSourceProvider) -> None:
        self._configured = [SourceState(source) for source in configured]
        self._public = public
        self._found: dict[str, SourceState] = {}

    @property
    def states(self) -> list[SourceState]:
        """Every source, those that were configured first."""
        public = {state.source.name: state for state in self._found.values()}
        return [*self._configured, *public.values()]

    @property
    def is_configured(self) -> bool:
        """Whether any source was configured."""
        return bool(self._configured)

    @property
    def is_known(self) -> bool:
        """Whether all sources that were configured have told which platforms they have."""
        return all(
            state.told and all(source_list.platforms for source_list in state.source_lists.values())
            for state in self._configured
        )

    @property
    def platforms(self) -> set[str]:
        """Those that sources have which were configured, as far as is known."""
        return {
            name
            for state in self._configured
            for source_list in state.source_lists.values()
            for name in source_list.platforms
        }

    @property
    def problem(self) -> str | None:
        """What is wrong with a source, if something is."""
        attempts = [each for state in self.states for each in state.lists_of(None)]
        return next((each.error for each in attempts if each.error is not None), None)

    @property
    def is_empty(self) -> bool:
        """Whether there are sources, and all of them have told that they have nothing."""
        return bool(self.states) and all(state.told and not state.source_lists for state in self.states)

    def states_of(self, platform: str) -> list[SourceState]:
        """Give the sources that may have lists of a platform: a public one has what is wanted of it, and no other."""
        return [*self._configured, *([self._found[platform]] if platform in self._found else [])]

    def source_lists(self, platform: str) -> list[SourceList]:
        """Give the lists that are about a platform, as far as is known."""
        return lists_about(platform, self.states_of(platform))

    def add_public_sources(self, platforms: Set[str], now: float) -> set[str]:
        """
        Have public sources read these platforms and no others; what is new is read at once.

        :param now: seconds of the clock.
        :return: the names of sources that are not needed any more.
        """
        if platforms == self._found.keys():
            return set()
        taken = {state.source.name for state in self._configured}
        before, known = self._found, {state.source.name: state for state in self._found.values()}
        self._found = {}
        for platform, source in self._public.sources(platforms).items():
            if source.name not in taken:
                self._found[platform] = known.setdefault(source.name, SourceState(source))
                if platform not in before:
                    self._found[platform].retry_soon(now)
        return known.keys() - {state.source.name for state in self._found.values()}

    def lacks(self, platform: str, now: float) -> bool:
        """Tell whether a platform that was looked for in public turned out not to be there."""
        state = self._found.get(platform)
        if state is None:
            return True
        source_lists = (source_list for source_list in state.source_lists.values() if not source_list.attempts.absent)
        return state.is_settled(now) and not any(platform in source_list.platforms for source_list in source_lists)

    def has_answered(self, now: float) -> bool:
        """Tell whether every source was asked, whatever came of it, and none is due."""
        return all(state.attempts.due > now for state in self.states)

    def recheck_all(self, now: float) -> None:
        """Have everything looked at again: another server has read it meanwhile."""
        for state in self.states:
            state.recheck_all(now)
