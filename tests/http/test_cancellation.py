"""Tests for :mod:`patches.http.cancellation`."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.error import ConnectingCancelledError, ConnectionAborted, DNSLookupError
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import ResponseNeverReceived

from patches.http.cancellation import cancellable
from tests.sources.memory_reactor import PluggableReactor, ResolvingReactor


class CancellationTests(SynchronousTestCase):
    """Operations that are cancelled, and that fail by themselves."""

    def test_results(self) -> None:
        """A result and an error pass through."""
        for_result: Deferred[Any] = Deferred()
        result = cancellable(for_result)
        for_result.callback(7)
        self.assertEqual(self.successResultOf(result), 7)
        for_error: Deferred[Any] = Deferred()
        failing = cancellable(for_error)
        for_error.errback(DNSLookupError())
        self.failureResultOf(failing, DNSLookupError)

    def test_cancelled(self) -> None:
        """However the operation ends when it is cancelled, also much later or well, it is cancelled."""
        never = ResponseNeverReceived([Failure(CancelledError())])
        for end in (never, DNSLookupError(), ConnectingCancelledError(None), ConnectionAborted(), None, 7):
            result = Failure(end) if isinstance(end, Exception) else end
            pending: Deferred[Any] = Deferred(lambda it, result=result: it.callback(result))
            cancelled = cancellable(pending)
            cancelled.cancel()
            self.failureResultOf(cancelled, CancelledError)

    def test_later(self) -> None:
        """An operation that goes on although it is cancelled is not waited for."""

        async def goes_on() -> None:
            try:
                await Deferred()
            except CancelledError:
                await Deferred()

        cancelled = cancellable(Deferred.fromCoroutine(goes_on()))
        cancelled.cancel()
        self.failureResultOf(cancelled, CancelledError)

    def test_by_others(self) -> None:
        """An operation that somebody else has cancelled has failed."""
        pending: Deferred[Any] = Deferred()
        failed = cancellable(pending)
        pending.cancel()
        self.failureResultOf(failed, ConnectionAborted)

    def test_resolving(self) -> None:
        """Twisted takes an attempt that is cancelled while its host is looked up for a host that is not found."""
        reactor = PluggableReactor()
        self.patch(reactor.nameResolver, "resolveHostName", lambda *_, **__: None)
        connecting = HostnameEndpoint(reactor, "patches.example", 80).connect(Factory.forProtocol(Protocol))
        connecting.cancel()
        self.failureResultOf(connecting, DNSLookupError)
        asking = cancellable(HostnameEndpoint(reactor, "patches.example", 80).connect(Factory.forProtocol(Protocol)))
        asking.cancel()
        self.failureResultOf(asking, CancelledError)

    def test_connecting(self) -> None:
        """An attempt to connect that is cancelled is cancelled, too."""
        connecting = HostnameEndpoint(ResolvingReactor(), "server", 80).connect(Factory.forProtocol(Protocol))
        asking = cancellable(connecting)
        asking.cancel()
        self.failureResultOf(asking, CancelledError)
