"""The interfaces between sources, server and scanner; the errors that may cross them are in :mod:`patches.errors`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from attrs import frozen
from twisted.internet.defer import Deferred
from zope.interface import Attribute, Interface

T = TypeVar("T")


#: What a record replaces in the list that it belongs to: its platform, its name, and its entry or note (empty: none).
RecordKey = tuple[str, str, str]


class Run(Protocol):
    """Calls a blocking function and returns a Deferred of its result; ``maybeDeferred`` is one that runs it at once."""

    def __call__(self, call: Callable[..., T], /, *args: Any) -> Deferred[T]: ...


@frozen
class Offer:
    """
    A list that a source offers.

    :ivar key: its name within the source.
    :ivar state: a value that changes when the list changes, for example an ``ETag``; ``None``: unknown until the list
        is read.
    :ivar platform: the only platform of the list; ``None``: unknown until the list is read.
    """

    key: str
    state: str | None = None
    platform: str | None = None


class ISource(Interface):
    """A database or API from which complete lists of vulnerabilities can be read."""

    name = Attribute("The name that records of this source carry: a short, stable ``str``.")
    left_out = Attribute("What it has beside its lists and cannot offer: a ``Mapping`` of names to reasons.")
    lists_at_once = Attribute("The number of its lists that are read side by side.")
    rank = Attribute("The precedence of its records: 0 for a vendor's own statements, more for converted data.")
    ask_within = Attribute("The longest time between requests for offers, a ``timedelta``; ``None``: as configured.")

    enriches = Attribute(
        "What its records add to those of other sources on all platforms: ``cvss``, ``kev`` or ``epss``; "
        "``None``: its records are about platforms."
    )
    worker_bytes = Attribute(
        "The memory of the worker that parses its lists, or of what is kept to follow them, granted before one is read."
    )

    def rest():  # type: ignore[no-untyped-def]
        """End the worker, if there is one: no list is read in the near future."""

    def offers():  # type: ignore[no-untyped-def]
        """
        Return the lists that the source has now; a list that is no longer among them is gone.

        :return: an awaitable of a list of :class:`Offer`.
        :raises SourceError: if the source cannot be reached.
        """

    def listing(key, since=None):  # type: ignore[no-untyped-def]
        """
        Return a reader of an offered list; no request is sent yet.

        :param since: the state of the list as the caller has it: the changes since then are enough. ``None``: read the
            whole list.
        :return: an :class:`IListing`.
        """


class IListing(Interface):
    """
    One pass over one list: an asynchronous iterator of :class:`~patches.vulnerability.Vulnerability`.

    The list may contain several platforms. The iteration ends when the list is complete and raises :class:`SourceError`
    when it cannot be completed; it never ends early. A name may occur twice for a platform: with the same note, the
    later record replaces the earlier. After :class:`ListChanged` every record that it yielded is void.
    """

    partial = Attribute("Whether it yields only the changes since the given state, to be applied to that list.")
    state = Attribute("The state of the list as it was read; known at the end. ``None``: the offered state.")
    skipped = Attribute(
        "A ``Counter``: the number of entries skipped so far, by reason; of a partial one, in all of it."
    )
    found = Attribute("The number of entries read so far, skipped ones included.")
    gone = Attribute(
        "The keys of records that the list no longer has: a set of :data:`RecordKey`; known at the end. A list that is "
        "not partial has only those that it yielded itself."
    )
    is_growing = Attribute("Whether the list was still changing at the end: it is to be read again soon.")
    claimed = Attribute("The number of entries that the source announces, or ``None``; known at the end.")

    def __aiter__():  # type: ignore[no-untyped-def]
        """Iterate over the vulnerabilities; can be called once only."""


class IInventory(Interface):
    """One package database format, read from the file system of a host."""

    scheme = Attribute("The version order of its packages: ``dpkg``, ``rpm`` or ``apk``.")
    paths = Attribute("The paths, below a host's root, of the files that are written when packages change.")

    def present(root):  # type: ignore[no-untyped-def]
        """
        Return whether the host has a database of this format.

        :param root: a :class:`pathlib.Path`, ``/`` for this host.
        """

    def read(root):  # type: ignore[no-untyped-def]
        """
        Read every installed package, in one pass.

        :return: an iterable of :class:`~patches.scanner.inventory.Package`; a damaged one has a ``problem``.
        :raises InventoryError: if the database is truncated, cannot be read, or is not one.
        """
