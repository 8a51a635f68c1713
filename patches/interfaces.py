"""The contracts between the stations of the data's way, and the errors that may cross them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from attrs import frozen
from twisted.internet.defer import Deferred
from zope.interface import Attribute, Interface

T = TypeVar("T")


class SourceError(Exception):
    """A vulnerability source could not give a complete list."""


class NotThere(SourceError):
    """The source can be asked, and does not have what was asked for."""


class PlatformNotListed(NotThere):
    """The source has no list of this platform (yet)."""


class ListChanged(SourceError):
    """The source lost its place in the list: what was read so far is void, and a new listing must be asked for."""


class Run(Protocol):
    """Calls a function that blocks, and tells its result by a Deferred; ``maybeDeferred`` is one that does not wait."""

    def __call__(self, call: Callable[..., T], /, *args: Any) -> Deferred[T]: ...


@frozen
class Offer:
    """
    A list that a source has.

    :ivar key: its name within the source.
    :ivar state: what changes when the list does, an ``ETag`` say; ``None``: only reading it tells.
    :ivar platform: the one platform it is about; ``None``: only reading it tells.
    """

    key: str
    state: str | None = None
    platform: str | None = None


class ISource(Interface):
    """A database or API from which complete lists of vulnerabilities can be read."""

    name = Attribute("What records of this source carry as their source: a short, stable ``str``.")
    rank = Attribute("Whose word goes before whose: 0 is a vendor's own statement, more is data that was converted.")
    ask_within = Attribute("Ask for its offers so often at least, a ``timedelta``; ``None``: as often as configured.")

    def offers():  # type: ignore[no-untyped-def]
        """
        Tell which lists there are, now; a list that was there and is not told any more is gone.

        :return: an awaitable of a list of :class:`Offer`.
        :raises SourceError: if the source cannot be asked.
        """

    def listing(key, since=None):  # type: ignore[no-untyped-def]
        """
        Begin to read a list that was offered.

        :param since: the state of the list as whoever asks has it; what has changed since then is enough. ``None``: all
            of it has to be read.
        :return: an :class:`IListing`; nothing has been asked of the source yet.
        """


class IListing(Interface):
    """
    One reading of one list: an asynchronous iterator of :class:`~patches.vulnerability.Vulnerability`.

    It may be about several platforms. It ends when the list is complete, and raises :class:`SourceError` when it cannot
    be completed; it never ends early. A name may come twice for a platform: the later record holds. After
    :class:`ListChanged` everything it gave is void.
    """

    partial = Attribute("Whether it gives only what changed since the state that was told, to be laid over that list.")
    state = Attribute("The state of the list as it was read; known at the end. ``None``: the one that was offered.")
    skipped = Attribute("A ``Counter``: how many entries were left out so far, by reason; of a partial one, of it all.")
    found = Attribute("How many entries were met so far, those that were left out too.")
    claimed = Attribute("How many entries the source says there are, or ``None`` if it does not; known at the end.")

    def __aiter__():  # type: ignore[no-untyped-def]
        """Iterate over the vulnerabilities; once."""


class IInventory(Interface):
    """One package database format, read from the file system of a host."""

    scheme = Attribute("The version order of its packages: ``dpkg``, ``rpm`` or ``apk``.")
    paths = Attribute("Where its files may be, in a host's root folder: they are written when packages change.")

    def present(root):  # type: ignore[no-untyped-def]
        """
        Tell whether such a database is there.

        :param root: a :class:`pathlib.Path`, ``/`` for this host.
        """

    def read(root):  # type: ignore[no-untyped-def]
        """
        Read every installed package, in one pass.

        :return: an iterable of :class:`~patches.scanner.inventory.Package`.
        :raises InventoryError: if the database cannot be read whole.
        """
