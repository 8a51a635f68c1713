"""The double itself: what it holds, what it counts, and the switches for what goes wrong."""

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
    A Clair to read from.

    :ivar clock: tells how old page tokens are, and lets answers wait.
    :ivar requests: how many requests came, by kind: ``namespaces``, ``list``, ``details``, ``fixes``, ``other``.
    :ivar targets: the path and query of each request, as they came; empty unless ``keep_targets`` is set.
    :ivar delay: how many seconds an answer takes.
    :ivar max_parallel: how many requests may be under way before the database has no connection left.
    :ivar under_way: how many requests are under way.
    :ivar most_parallel: how many requests were under way at once, at most.
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
        """Make an empty namespace, as an image scan does."""
        self._rows.add_namespace(name, version_format)

    def load(self, namespace: str, vulnerabilities: Iterable[Record], version_format: str = "dpkg") -> None:
        """
        Fill a namespace.

        :param vulnerabilities: objects as Clair's details have them, each in a ``dict``; what Clair always has need
            not be there.
        """
        self._rows.add_namespace(namespace, version_format)
        for vulnerability in vulnerabilities:
            self._rows.put(namespace, _stored(namespace, vulnerability, version_format))

    def change(self, namespace: str, vulnerability: Record) -> None:
        """Insert a vulnerability, or change the one of its name: either way it is last on the list afterwards."""
        self.load(namespace, [vulnerability], self._version_format(namespace))

    def begin_change(self, namespace: str, vulnerability: Record) -> Callable[[], None]:
        """
        Begin to insert or change a vulnerability, as one of several writers does: its place on the list is taken now.

        :return: makes it visible.
        """
        record = _stored(namespace, vulnerability, self._version_format(namespace))
        return partial(self._rows.put, namespace, record, self._rows.take_id())

    def _version_format(self, namespace: str) -> str:
        return dict(self._rows.namespaces()).get(namespace, "dpkg")

    def delete(self, namespace: str, name: str) -> None:
        """Delete a vulnerability."""
        self._rows.delete(namespace, name)

    def restart(self) -> None:
        """Forget the key of the page tokens, as a Clair does that is started anew without one in its configuration."""
        self._tokens.forget()

    def fail(self, trouble: Trouble, times: int | None = 1, kind: str | None = None) -> None:
        """
        Let requests fail.

        :param times: how many; ``None``: until :meth:`mend`.
        :param kind: of which kind; ``None``: any.
        """
        self._troubles.add(trouble, times, kind)

    def mend(self) -> None:
        """End all troubles that :meth:`fail` began."""
        self._troubles.clear()

    def resource(self) -> IResource:
        """Give what serves it, for a :class:`twisted.web.server.Site` or :class:`treq.testing.StubTreq`."""
        return ClairResource(self)

    def begin(self, method: str, target: str) -> Reply:
        """
        Take a request; :meth:`end` must follow when it is answered.

        :raises HandlerPanic: if the connection is to be closed.
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
        """Count a request as over."""
        self.under_way -= 1


def _stored(namespace: str, vulnerability: Record, version_format: str) -> Record:
    """Complete a vulnerability with what Clair always has."""
    defaults = {"NamespaceName": namespace, "VersionFormat": version_format}
    fixes = [{**defaults, **fix} for fix in vulnerability.get("FixedIn") or ()]
    return {"Severity": "Unknown", **vulnerability, "NamespaceName": namespace, "FixedIn": fixes}
