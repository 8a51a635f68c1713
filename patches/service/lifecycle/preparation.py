"""The preparation of a process that becomes a daemon: its clock, resolver, signals, log and files."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from attrs import AttrsInstance, frozen
from twisted.application.service import MultiService

from patches.service.clocks import use_monotonic_time
from patches.service.daemon import DaemonOptions
from patches.service.lifecycle.clean_end import CleanEndService
from patches.service.lifecycle.readiness import ReadinessService
from patches.service.lifecycle.reload import ReloadService
from patches.service.lifecycle.signals import block_signals
from patches.service.lifecycle.waker import keep_awake
from patches.service.log.escaped_log import escape_logs
from patches.service.log.log_level import LeastLevel, filter_logs
from patches.service.name_resolver import use_own_resolver
from patches.service.private_files import create_private_files

S = TypeVar("S", bound=AttrsInstance)


@frozen
class Preparation(Generic[S]):
    """
    A process that is prepared for its daemon.

    :ivar reload: reads the options again; its ``use`` can be set until the daemon starts.
    """

    reload: ReloadService[S]
    _reactor: Any

    def complete(self, service: MultiService) -> MultiService:
        """Add what all daemons have to the service tree of one of them. Return that tree."""
        # The last one to start unblocks the signals, and is the first one to stop.
        for part in (CleanEndService(self._reactor), ReadinessService(self._reactor), self.reload):
            part.setServiceParent(service)
        return service


def prepare_daemon(reactor: Any, options: DaemonOptions[S]) -> Preparation[S]:
    """
    Prepare this process for a daemon, before anything is scheduled, logged or created.

    :param options: have a ``log`` group, :class:`~patches.service.log.log_level.LogSettings`.
    """
    block_signals()
    use_monotonic_time(reactor)
    use_own_resolver(reactor)
    keep_awake(reactor)
    create_private_files()
    least = LeastLevel(_log_level(options.settings))
    reload = ReloadService(reactor, options, _log_level, least)
    filter_logs(least, form=_log_format(options.settings))
    escape_logs()
    return Preparation(reload, reactor)


def _log_level(settings: Any) -> str:
    level: str = settings.log.log_level
    return level


def _log_format(settings: Any) -> str:
    form: str = settings.log.log_format
    return form
