"""The last wall of the daemon's memory, which the kernel enforces; all other limits are lower."""

from __future__ import annotations

import resource

#: The most memory that the daemon has for its data. Beyond it, an allocation fails, and the scan is an error.
MOST_DATA_BYTES = 512 * 1024 * 1024


def set_memory_wall() -> None:
    """Limit the data of this process, unless it is limited to less already."""
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if soft == resource.RLIM_INFINITY or soft > MOST_DATA_BYTES:
        resource.setrlimit(resource.RLIMIT_DATA, (MOST_DATA_BYTES, hard))
