"""The rules of the matcher: every possible result of comparing an installed package with a range, with its text."""

from __future__ import annotations

from enum import Enum


class Rule(Enum):
    """
    A rule of the matcher.

    :ivar affects: whether the package is affected; ``None`` if it cannot be judged: neither a finding nor clean.
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
    OTHER_TRACK = (
        False,
        "this is for a track that is not enabled on the host, or the host has a track with a fix of its own",
    )
    INVALID_INSTALLED = (None, "the installed version is not valid")
    INVALID_LISTED = (None, "the listed version is not valid")
    STREAM = (None, "the stream of the module is not known")
    NO_ORDER = (None, "there is no order for versions of this kind")
    OWN_FIXES = (None, "a build with fixes of its own (FIPS, ksplice)")

    def __init__(self, affects: bool | None, text: str) -> None:
        self.affects = affects
        self.text = text
