"""The ceilings of a worker, which the kernel enforces; a worker sets them for itself before it reads anything."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path

#: The largest file that a worker may write, in bytes: the staged list, or a scratch file.
MOST_FILE_BYTES = 4 * 1024 * 1024 * 1024
#: Files that a worker has open at most; it opens one of a feed at a time.
MOST_FILES = 64
#: How much lower its priority is than the server's.
_NICE = 5
#: The kernel ends a worker before anything else when the machine has no memory left.
_OOM_SCORE = "900"
_PR_SET_PDEATHSIG = 1


def set_ceilings(data_bytes: int) -> None:
    """
    Set the ceilings of this process.

    :param data_bytes: the memory that it may have besides its code.
    """
    resource.setrlimit(resource.RLIMIT_DATA, (data_bytes, data_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_FILE_BYTES, MOST_FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_NOFILE, (MOST_FILES, MOST_FILES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(_NICE)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE)


def end_with_parent(parent: int) -> None:
    """
    Make the kernel kill this process when its parent ends, however that ends.

    :param parent: the id of the parent; if it has ended already, this process ends now.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)


def allow_cpu(seconds: int) -> None:
    """Make the kernel kill this process when it has used the processor for so long from now on."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))
