"""Paths inside a host's root folder, which may be another host's: symbolic links never lead out of it."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

_MOST_LINKS = 40


def resolve_inside(root: Path, relative: str) -> Path:
    """
    Follow a path as a process would whose root folder is ``root``.

    An absolute link starts again at ``root``; ``..`` stops there. Nothing need exist at the path that this gives.

    :param relative: ``etc/os-release``; a slash at its beginning means nothing.
    :raises OSError: if there are too many links, or a folder may not be read.
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
    Open a regular file for reading; a device, a pipe or a folder in its place is refused, not waited for.

    :raises OSError: if it cannot be opened.
    """
    path = resolve_inside(root, relative)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    raise OSError(errno.EINVAL, "Not a regular file", str(path))
