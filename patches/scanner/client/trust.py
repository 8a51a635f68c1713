"""
Trust in a list: what a server says of it must be signed, and may not be older than what was seen before.

Theory of operation. The server signs a manifest: platform, revision, count, digest, and when the list was made and last
checked. What comes is compared with count and digest, so nothing in it can be changed, left out or added. The platform
keeps another platform's list out. As the time of the last check is signed, an old list that is given for a new one is
older than one that was seen before or, on a host that has seen none, than ``--max-age`` allows.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from attrs import asdict, frozen

from patches.scanner.client.verified_stream import NotVerified
from patches.signing import NotSigned, VerifyKey, manifest_bytes
from patches.storage.atomic_file import write_atomically

#: So far ahead the clock of the server may be, in seconds.
_AHEAD = 86400


class NotTrusted(NotVerified):
    """A list that nobody who is trusted has signed, or that is not the newest one of theirs."""


@frozen(eq=False)
class Trust:
    """
    Whom this host trusts.

    :ivar key: by which lists must be signed.
    :ivar seen: what was seen before.
    :ivar wall: tells the time in seconds since the epoch.
    """

    key: VerifyKey
    seen: SeenLists
    wall: Callable[[], float] = time.time

    def admit(self, platform: str, snapshot: Mapping[str, Any]) -> None:
        """
        Take what a server says of the list that it is about to give, and remember it.

        :raises NotTrusted: if it is not signed, or older than one that was seen, or of the future.
        """
        self.verify(platform, snapshot)
        said = SeenList(snapshot["revision"], _checked(snapshot))
        if said.checked > self.wall() + _AHEAD:
            raise NotTrusted(f"the list was checked in the future, at {snapshot['checked']}: one clock is wrong")
        try:
            newest = self.seen.newest(platform)
            if newest is not None and said.checked < newest.checked:
                if said.revision != newest.revision:
                    raise NotTrusted(f"the list was checked at {snapshot['checked']}; a newer one was seen before")
            elif newest != said:
                self.seen.note(platform, said)
        except SeenListsError as error:
            raise NotTrusted(f"it cannot be told whether the list is the newest: {error}") from error

    def verify(self, platform: str, snapshot: Mapping[str, Any]) -> None:
        """
        Verify the signature of what is said of a list.

        :raises NotTrusted: if it is not signed with the trusted key.
        """
        signature = snapshot.get("signature")
        if not isinstance(signature, str):
            raise NotTrusted("the list is not signed")
        try:
            self.key.verify(manifest_bytes(platform, snapshot), signature)
        except KeyError as error:
            raise NotTrusted(f"the list is not described whole: {error} is missing") from error
        except NotSigned as error:
            raise NotTrusted(f"the list is not signed by whom is trusted: {error}") from error


def _checked(snapshot: Mapping[str, Any]) -> float:
    try:
        return datetime.fromisoformat(snapshot["checked"]).timestamp()
    except (ValueError, TypeError) as error:
        raise NotTrusted("the list does not tell when it was checked") from error


_MOST_BYTES = 4096


class SeenListsError(Exception):
    """What was seen cannot be read or written; its text says why, in one line."""


@frozen
class SeenList:
    """
    A list that was seen.

    :ivar checked: when its sources had last given it, in seconds since the epoch.
    """

    revision: str
    checked: float


class SeenLists:
    """
    A small file for each platform.

    :param folder: is made when something is seen first.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def newest(self, platform: str) -> SeenList | None:
        """
        Give the newest list of a platform that was seen.

        :raises CannotRemember: if there is a file, and it cannot be understood: then nobody knows what was seen.
        """
        path = self._path(platform)
        try:
            with path.open("rb") as file:
                found = json.loads(file.read(_MOST_BYTES))
            return SeenList(str(found["revision"]), float(found["checked"]))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SeenListsError(f"{path}: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise SeenListsError(f"{path} is damaged; delete it to trust the next list whatever its age") from error

    def note(self, platform: str, seen: SeenList) -> None:
        """
        Remember a list.

        :raises CannotRemember: if that fails.
        """
        path = self._path(platform)
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(path, json.dumps(asdict(seen)).encode())
        except OSError as error:
            raise SeenListsError(f"{path}: {error.strerror}") from error

    def _path(self, platform: str) -> Path:
        return self._folder / f"{platform}.json"
