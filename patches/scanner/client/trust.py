"""
Verification of signed lists: the description of a list must be signed, and must not be older than one seen before.

Theory of operation. The server signs a manifest: platform, revision, count, digest, and the times at which the list was
made and last checked. The received list is compared with count and digest, so no record can be changed, removed or
added. The signed platform prevents that another platform's list is substituted. The signed serial number prevents
that an old list is sent as the current one: it is the time of the last check in seconds, but grows also while the
server's time of day is set back, and an old list has a smaller one than a list that was seen before. On a host that has
not seen a list yet, it is older than ``--max-age`` allows. The serial number is a part of the second statement, which a
server of an earlier version does not sign; then the number is the time itself. The enrichments of a list, if it has
any, are in a third one.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from attrs import asdict, frozen

from patches.scanner.client.verified_stream import NotVerified
from patches.service.log.trouble_log import TroubleLog
from patches.signing import NotSigned, VerifyKey, enriched_manifest_bytes, manifest_bytes, sized_manifest_bytes
from patches.storage.atomic_file import write_atomically
from patches.wire import is_number, is_whole

#: Serial numbers are times in seconds, and a few more; this one is of the year 9999.
_GREATEST_SERIAL = 253_402_300_799
#: How many seconds the clock of the server may be ahead of this host's.
_AHEAD = 86400


class NotTrusted(NotVerified):
    """The list is not signed with the trusted key, or is older than a list that was seen before."""


@frozen(eq=False)
class Trust:
    """
    The key that this host trusts, with the lists that it has seen.

    :ivar key: the key with which lists must be signed.
    :ivar seen: the newest list seen of each platform.
    :ivar wall: returns the time in seconds since the epoch.
    """

    key: VerifyKey
    seen: SeenLists
    wall: Callable[[], float] = time.time

    def admit(self, platform: str, snapshot: Mapping[str, Any]) -> None:
        """
        Verify the server's description of a list before the list is read, and record it as seen.

        :raises NotTrusted: if it is not signed, is older than a list that was seen before, or is from the future.
        """
        self.verify(platform, snapshot)
        said = SeenList(snapshot["revision"], _checked(snapshot), _serial(snapshot))
        if said.checked > self.wall() + _AHEAD:
            raise NotTrusted(f"the list was checked in the future, at {snapshot['checked']}: one clock is wrong")
        try:
            newest = self.seen.newest(platform)
            if newest is not None and said.serial < newest.serial:
                # another server may have checked the very same list earlier: that list is not older
                if said.revision != newest.revision:
                    raise NotTrusted(f"the list was checked at {snapshot['checked']}; a newer one was seen before")
            elif newest != said:
                self._note(platform, said)
        except SeenListsError as error:
            raise NotTrusted(f"the list cannot be compared with those seen before: {error}") from error

    def _note(self, platform: str, said: SeenList) -> None:
        """
        Record a list as seen. Where that is not possible, it is known until the process ends, and the scan goes on.

        Its signature and its age are verified all the same; of a read-only folder nobody on the way has the choice.
        """
        try:
            self.seen.note(platform, said)
        except SeenListsError as error:
            self.seen.trouble.begin(str(error))
        else:
            self.seen.trouble.end()

    def verify(self, platform: str, snapshot: Mapping[str, Any]) -> None:
        """
        Verify the signature of a list's description.

        :raises NotTrusted: if it is not signed with the trusted key.
        """
        signature = snapshot.get("signature")
        if not isinstance(signature, str):
            raise NotTrusted("the list is not signed")
        try:
            self.key.verify(manifest_bytes(platform, snapshot), signature)
            if is_size_signed(snapshot):
                self.key.verify(sized_manifest_bytes(platform, snapshot), str(snapshot["sizeSignature"]))
            if "enrichments" in snapshot:
                self.key.verify(enriched_manifest_bytes(platform, snapshot), str(snapshot["enrichmentsSignature"]))
        except KeyError as error:
            raise NotTrusted(f"the description of the list is incomplete: {error} is missing") from error
        except NotSigned as error:
            raise NotTrusted(f"the list is not signed as required: {error}") from error


def is_size_signed(snapshot: Mapping[str, Any]) -> bool:
    """Return whether the size of a list is signed, too; servers of earlier versions sign its number of records only."""
    return "sizeSignature" in snapshot


def _serial(snapshot: Mapping[str, Any]) -> int:
    """Return the serial number of a list, which is signed with its size; without it the time of the last check."""
    serial = snapshot.get("serial") if is_size_signed(snapshot) else None
    if serial is None:
        return int(_checked(snapshot))
    if not is_whole(serial) or not 0 <= serial <= _GREATEST_SERIAL:
        raise NotTrusted("the description of the list has no valid serial number")
    return serial


def _checked(snapshot: Mapping[str, Any]) -> float:
    try:
        return datetime.fromisoformat(snapshot["checked"]).timestamp()
    except (ValueError, TypeError) as error:
        raise NotTrusted("the description of the list has no valid time of its last check") from error


_MOST_BYTES = 4096


class SeenListsError(Exception):
    """The record of a seen list cannot be read or written; the text says why, in one line."""


@frozen
class SeenList:
    """
    A list that this host has seen.

    :ivar checked: the time at which its sources last confirmed it, in seconds since the epoch.
    :ivar serial: its serial number; files of earlier versions have none, and it is that time.
    """

    revision: str
    checked: float
    serial: int


class SeenLists:
    """
    The newest list seen of each platform, in one small file per platform.

    :param folder: where the files are; it is created when the first list is noted.
    :ivar trouble: logs that lists cannot be recorded.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._unwritten: dict[str, SeenList] = {}
        self.trouble = TroubleLog("The newest list seen cannot be recorded", "The newest list seen is recorded again")

    def newest(self, platform: str) -> SeenList | None:
        """
        Return the newest list of a platform that was seen; ``None`` if no list was seen yet.

        :raises SeenListsError: if the file exists but cannot be read. It then is not known which lists were seen, and
            an old list must not be accepted as the newest.
        """
        if platform in self._unwritten:
            return self._unwritten[platform]
        path = self._path(platform)
        try:
            with path.open("rb") as file:
                found = json.loads(file.read(_MOST_BYTES))
            if isinstance(found, dict) and "version" in found:  # no version up to this one has it
                raise SeenListsError(f"{path} is of a later version of Patches; delete it to trust the next list")
            if not is_number(found["checked"]):
                raise ValueError("its time is not a number")
            seen = SeenList(str(found["revision"]), float(found["checked"]), int(found.get("serial", found["checked"])))
            # Files of earlier versions have two members, and no checksum.
            if found.keys() != {"revision", "checked"} and found != _document(seen):
                raise ValueError("its checksum differs")
            return seen
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise SeenListsError(f"{path}: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise SeenListsError(f"{path} is damaged; delete it to trust the next list of any age") from error

    def note(self, platform: str, seen: SeenList) -> None:
        """
        Record a list as the newest one seen.

        :raises SeenListsError: if the file cannot be written.
        """
        path = self._path(platform)
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(path, json.dumps(_document(seen)).encode())
            self._unwritten.pop(platform, None)
        except OSError as error:
            self._unwritten[platform] = seen
            raise SeenListsError(f"{path}: {error.strerror}") from error

    def _path(self, platform: str) -> Path:
        return self._folder / f"{platform}.json"


def _document(seen: SeenList) -> dict[str, Any]:
    """Return the document of a seen list, with its checksum."""
    members = asdict(seen)
    return {**members, "sha256": hashlib.sha256(json.dumps(members).encode("utf-8", "surrogatepass")).hexdigest()}
