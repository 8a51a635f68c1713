"""The contracts between the stations of the data's way, and the errors that may cross them."""

from __future__ import annotations

from zope.interface import Attribute, Interface


class SourceError(Exception):
    """A vulnerability source could not give a complete list."""


class PlatformNotListed(SourceError):
    """The source has no list of this platform (yet)."""


class ListChanged(SourceError):
    """The source lost its place in the list: what was read so far is void, and a new listing must be asked for."""


class ISource(Interface):
    """A database or API from which the complete list of vulnerabilities of a platform can be read."""

    name = Attribute("What records of this source carry as their source: a short, stable ``str``.")

    def platforms():  # type: ignore[no-untyped-def]
        """
        Tell which platforms have a list here, now.

        :return: an awaitable of a list of platform names.
        :raises SourceError: if the source cannot be asked.
        """

    def listing(platform):  # type: ignore[no-untyped-def]
        """
        Begin to read the complete list of a platform.

        :return: an :class:`IListing`; nothing has been asked of the source yet.
        """


class IListing(Interface):
    """
    One reading of one platform's list: an asynchronous iterator of :class:`~patches.vulnerability.Vulnerability`.

    It ends when the list is complete, and raises :class:`SourceError` when it cannot be completed; it never ends early.
    A name may come twice: the later record holds. After :class:`ListChanged` everything it gave is void.
    """

    skipped = Attribute("A ``Counter``: how many entries were left out so far, by reason (a ``str``).")

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
