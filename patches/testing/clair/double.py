"""The double itself: its content, its counters, and the switches for failures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Clock
from twisted.web.resource import IResource

from patches.testing.clair.answers import Answers, Reply
from patches.testing.clair.resource import ClairResource
from patches.testing.clair.rows import Record, Rows
from patches.testing.clair.tokens import Tokens
from patches.testing.clair.troubles import Trouble, Troubles, failure


class ClairDouble:
    """
    A fake Clair.

    :ivar clock: determines the age of page tokens, and delays responses.
    :ivar requests: the number of requests, by kind: ``namespaces``, ``list``, ``details``, ``fixes``, ``other``.
    :ivar targets: the path and query of each request, as received; empty unless ``keep_targets`` is set.
    :ivar delay: the number of seconds that a response takes.
    :ivar max_parallel: the number of requests in progress above which the database has no connection left.
    :ivar under_way: the number of requests in progress.
    :ivar most_parallel: the highest number of requests that were in progress at once.
    """

    def __init__(self, clock: IReactorTime | None = None, keep_targets: bool = False) -> None:
        self.clock: Any = clock if clock is not None else Clock()
        self.requests: Counter[str] = Counter()
        self.targets: list[str] = []
        self.delay = 0.0
        self.max_parallel: int | None = None
        self.most_parallel = 0
        self._keep_targets = keep_targets
        self.under_way = 0
        self._rows = Rows()
        self._tokens = Tokens()
        self._troubles = Troubles()
        self._answers = Answers(self._rows, self._tokens)

    def add_namespace(self, name: str, version_format: str = "") -> None:
        """Create an empty namespace, as an image scan does."""
        self._rows.add_namespace(name, version_format)

    def load(self, namespace: str, vulnerabilities: Iterable[Record], version_format: str = "dpkg") -> None:
        """
        Add vulnerabilities to a namespace.

        :param vulnerabilities: objects as in Clair's details, each a ``dict``; members that Clair always sends may be
            missing.
        """
        self._rows.add_namespace(namespace, version_format)
        for vulnerability in vulnerabilities:
            self._rows.put(namespace, _stored(namespace, vulnerability, version_format))

    def change(self, namespace: str, vulnerability: Record) -> None:
        """Insert a vulnerability, or replace the one of its name; in both cases it is then the last on the list."""
        self.load(namespace, [vulnerability], self._version_format(namespace))

    def begin_change(self, namespace: str, vulnerability: Record) -> Callable[[], None]:
        """
        Begin to insert or replace a vulnerability, as one of several writers does: its position on the list is reserved
        now.

        :return: a function that makes it visible.
        """
        record = _stored(namespace, vulnerability, self._version_format(namespace))
        return partial(self._rows.put, namespace, record, self._rows.take_id())

    def _version_format(self, namespace: str) -> str:
        return dict(self._rows.namespaces()).get(namespace, "dpkg")

    def delete(self, namespace: str, name: str) -> None:
        """Delete a vulnerability."""
        self._rows.delete(namespace, name)

    def restart(self) -> None:
        """Replace the key of the page tokens, as a restarted Clair does that has no key in its configuration."""
        self._tokens.forget()

    def fail(self, trouble: Trouble, times: int | None = 1, kind: str | None = None) -> None:
        """
        Make requests fail.

        :param times: the number of requests; ``None``: until :meth:`mend`.
        :param kind: the kind of requests; ``None``: any.
        """
        self._troubles.add(trouble, times, kind)

    def mend(self) -> None:
        """Stop all failures that :meth:`fail` began."""
        self._troubles.clear()

    def resource(self) -> IResource:
        """
        Return the resource that serves it, for a :class:`twisted.web.server.Site` or :class:`treq.testing.StubTreq`.
        """
        return ClairResource(self)

    def begin(self, method: str, target: str) -> Reply:
        """
        Begin a request. The caller must call :meth:`end` when it is answered.

        :raises HandlerPanic: if the connection has to be closed.
        """
        self.under_way += 1
        self.most_parallel = max(self.most_parallel, self.under_way)
        if self._keep_targets:
            self.targets.append(target)
        reply = self._answers.reply(method, target, self.clock.seconds())
        self.requests[reply.kind] += 1
        if self.max_parallel is not None and self.under_way > self.max_parallel and reply.from_database:
            return failure(Trouble.DATABASE, reply.kind)
        return self._troubles.apply(reply)

    def end(self) -> None:
        """Count a request as finished."""
        self.under_way -= 1


def _stored(namespace: str, vulnerability: Record, version_format: str) -> Record:
    """Return a vulnerability with the members that Clair always sends."""
    defaults = {"NamespaceName": namespace, "VersionFormat": version_format}
    fixes = [{**defaults, **fix} for fix in vulnerability.get("FixedIn") or ()]
    return {"Severity": "Unknown", **vulnerability, "NamespaceName": namespace, "FixedIn": fixes}
