"""The rules of the matcher: every possible result of comparing an installed package with a fix, with its text."""

from __future__ import annotations

from enum import Enum


class Rule(Enum):
    """
    A rule of the matcher.

    :ivar affects: whether the package is affected; ``None`` if it is unjudged: neither a finding nor fine.
    :ivar text: the rule as a text for users.
    """

    NO_FIX = (True, "every version is affected")
    BELOW_FIX = (True, "the installed version is before the fix")
    UP_TO_LAST = (True, "the installed version is not after the last that is affected")
    FIXED = (False, "the installed version has the fix")
    AFTER_LAST = (False, "the installed version is after the last that is affected")
    BEFORE_INTRODUCED = (False, "the installed version is before the first that is affected")
    NOT_AFFECTED = (False, "the source says that it is not affected")
    OTHER_ARCH = (False, "this is for other architectures")
    OTHER_MODULE = (False, "this is for packages of another module or stream, or for packages outside modules")
    OTHER_TRACK = (False, "this is for builds of another track")
    NO_KERNEL_CODE = (False, "headers and documentation contain no kernel code")
    INVALID_INSTALLED = (None, "the installed version is not valid")
    INVALID_LISTED = (None, "the listed version is not valid")
    UNREADABLE = (None, "the server could not read what the source says")
    STREAM = (None, "the stream of the module is not known")
    NO_ORDER = (None, "there is no order for versions of this kind")
    DAMAGED = (None, "the package's entry in the database is damaged")
    FOREIGN = (None, "the package is not from the distribution")
    NO_TRACK = (None, "another track: the list has no record of the line of builds that the package belongs to")
    NO_REPOSITORY = (None, "which repository it was installed from is not known")

    def __init__(self, affects: bool | None, text: str) -> None:
        self.affects = affects
        self.text = text

    @property
    def concerns(self) -> bool:
        """Whether the fix is about the package at all; otherwise it decides nothing."""
        return self not in (Rule.OTHER_ARCH, Rule.OTHER_MODULE, Rule.OTHER_TRACK)
