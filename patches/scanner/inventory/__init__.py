"""What is installed on a host: one module for each package database, all giving :class:`Package`."""

from __future__ import annotations

from attrs import frozen


class InventoryError(Exception):
    """A package database that could not be read whole."""


@frozen
class Package:
    """
    A package that is installed.

    :ivar name: the binary package's name.
    :ivar version: its version, as the native tool shows it.
    :ivar arch: its architecture, ``amd64``; ``all`` or ``noarch`` where it has none.
    :ivar source: the name of the source package it was built from (apk: its origin); its own name if none is recorded.
    :ivar source_version: the version of that source package.
    """

    name: str
    version: str
    arch: str
    source: str
    source_version: str
