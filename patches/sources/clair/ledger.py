"""
The ledgers of a Clair's lists: which rows the caller has, in their order, and a digest of the details of each.

Clair has neither times nor versions, and its page tokens end with an hour or a restart. The order of a list says what
has happened to it: see :mod:`~patches.sources.clair.difference`. So a ledger is kept on disk, and a list is followed
across restarts of either side.
"""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from attrs import field, frozen

from patches.storage.atomic_file import write_atomically
from patches.wire import is_number

#: The most rows of a list that is followed; a longer one is always read whole. The longest known has 13,595.
MOST_FOLLOWED = 25_000
#: Of the file. To be raised when details are parsed in another way: lists that were read are then read again.
_VERSION = 3


@frozen
class Ledger:
    """
    The rows of a list at the end of its last pass.

    :ivar state: the state of the list at that time, unique to that pass.
    :ivar whole: the time at which all details were read last; seconds of the clock, since the epoch.
    :ivar rows: the digest of the details of each row by its name, in the order of the list; empty: they are unknown.
    :ivar left_out: the reasons of skipped entries, by the names of the entries.
    """

    state: str
    whole: float
    rows: Mapping[str, str] = field(factory=dict)
    left_out: Mapping[str, Counter[str]] = field(factory=dict)


def new_state() -> str:
    """Return a state that no list has had, not even in another run of the program."""
    return secrets.token_hex(12)


class Ledgers:
    """
    The ledgers of one Clair's lists, by platform.

    :param folder: where they are kept; ``None``: in memory only.
    :param base_url: the address of the Clair: ledgers of another one are not used.
    """

    def __init__(self, folder: Path | None, base_url: str) -> None:
        self._folder = folder
        self._base_url = base_url
        self._kept: dict[str, bytes] = {}

    def load(self, platform: str) -> Ledger | None:
        """Return the ledger of a list; ``None`` if there is none, or none that can be read."""
        try:
            content = self._kept[platform] if self._folder is None else self._path(platform).read_bytes()
            document = json.loads(content)
            if document["version"] != _VERSION or document["url"] != self._base_url:
                return None
            left_out = {str(name): Counter(reasons) for name, reasons in document["left_out"].items()}
            rows = {str(name): str(digest) for name, digest in document["rows"]}
            if not is_number(document["whole"]):
                return None
            return Ledger(str(document["state"]), float(document["whole"]), rows, left_out)
        except (KeyError, OSError, ValueError, TypeError, AttributeError):
            return None

    def keep(self, platform: str, ledger: Ledger | None) -> None:
        """
        Replace the ledger of a list. One that cannot be written is lost: the list is then read whole.

        :param ledger: ``None``: the rows are unknown.
        """
        if ledger is None:
            self._kept.pop(platform, None)
            if self._folder is not None:
                with suppress(OSError):
                    self._path(platform).unlink(missing_ok=True)
            return
        document = {
            "version": _VERSION,
            "url": self._base_url,
            "state": ledger.state,
            "whole": ledger.whole,
            "left_out": ledger.left_out,
            "rows": list(ledger.rows.items()),
        }
        content = json.dumps(document, separators=(",", ":")).encode("ascii")
        if self._folder is None:
            self._kept[platform] = content
            return
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(self._path(platform), content, mode=0o600)

    def _path(self, platform: str) -> Path:
        assert self._folder is not None  # noqa: S101 - the callers have checked
        return self._folder / f"{platform}.json"
