"""Files that only their owner can read: what a daemon creates, and the folder of its state."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from twisted.logger import Logger

log = Logger()

#: What others may do with a file; no file of state lets them.
_OTHERS = 0o077
#: The databases in a state folder, with the files that SQLite keeps beside them: earlier versions made them readable.
_DATABASES = "*.sqlite*"


class SharedFolder(Exception):
    """A folder that others put their files into, such as ``/tmp``; the text is one line."""


def create_private_files() -> None:
    """Set the umask: this process, and its children, create only files that nobody else can read."""
    os.umask(_OTHERS)


def narrow_folder(folder: Path) -> None:
    """
    Make a folder and its databases private, if they are ours; log a line if others could use the folder.

    :raises SharedFolder: if it belongs to everybody.
    :raises OSError: if its permissions cannot be changed.
    """
    facts = folder.stat()
    if facts.st_mode & stat.S_ISVTX and facts.st_mode & _OTHERS:
        raise SharedFolder("others put their files there: name a folder of its own")
    if facts.st_mode & _OTHERS:
        mode = stat.S_IMODE(facts.st_mode)
        if facts.st_uid == os.geteuid():
            folder.chmod(mode & ~_OTHERS)
            log.warn("{folder} had mode {mode:o}: now only its owner can use it", folder=str(folder), mode=mode)
        else:
            log.warn(
                "{folder} has mode {mode:o}, and is another user's: others can use it", folder=str(folder), mode=mode
            )
    for path in folder.glob(_DATABASES):
        found = path.lstat()
        if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and found.st_mode & _OTHERS:
            path.chmod(stat.S_IMODE(found.st_mode) & ~_OTHERS)
