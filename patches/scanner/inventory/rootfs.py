"""Access to paths below a host's root folder, which may be a mounted image: symbolic links never lead outside it."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

_MOST_LINKS = 40


def resolve_inside(root: Path, relative: str) -> Path:
    """
    Return a path without symbolic links, resolved as in a process whose root folder is ``root``.

    An absolute link starts again at ``root``; ``..`` does not lead above it. The returned path need not exist.

    :param relative: a path such as ``etc/os-release``; a slash at its start has no effect.
    :raises OSError: if there are too many links, or a folder cannot be read.
    """
    pending = relative.split("/")[::-1]
    taken: list[str] = []
    links = 0
    while pending:
        part = pending.pop()
        if part in ("", "."):
            continue
        if part == "..":
            taken = taken[:-1]
            continue
        here = root.joinpath(*taken, part)
        if not here.is_symlink():
            taken.append(part)
            continue
        links += 1
        if links > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(root / relative))
        target = os.readlink(here)
        taken = [] if target.startswith("/") else taken
        pending += target.split("/")[::-1]
    return root.joinpath(*taken)


def open_inside(root: Path, relative: str) -> BinaryIO:
    """
    Open a regular file for reading; a device, a pipe or a folder in its place is refused without blocking.

    :raises OSError: if it cannot be opened.
    """
    path = resolve_inside(root, relative)
    # O_NONBLOCK: opening a pipe would wait for a writer. O_NOFOLLOW: the file may become a link after it was resolved.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    raise OSError(errno.EINVAL, "Not a regular file", str(path))
