"""The host's start: how long ago it was, and when a fleet that boots together scans first."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from patches.service.clocks import seconds_since_boot

#: For so long after its start a host counts as just booted.
BOOT_TIME = timedelta(minutes=10)
#: Where the id of a host is; machine-id(5).
_MACHINE_IDS = ("/etc/machine-id", "/var/lib/dbus/machine-id")


def host_id(paths: tuple[str, ...] = _MACHINE_IDS) -> str:
    """Return the id of this host; its name if it has none, as on Alpine."""
    for path in paths:
        try:
            found = Path(path).read_text("ascii").strip()
        except (OSError, ValueError):
            continue
        if found:
            return found
    return socket.gethostname()


def first_delay(
    most: timedelta, up: Callable[[], float] = seconds_since_boot, identify: Callable[[], str] = host_id
) -> timedelta:
    """
    Return how long a daemon waits before its first scan.

    :param up: returns the seconds since the host was started.

    It is nothing for a daemon that is started on a host that runs. After a boot it is a part of *most* that follows
    from the host's id: a site that gets its power back spreads evenly, and each host has the same place every time.
    """
    if up() >= BOOT_TIME.total_seconds():
        return timedelta(0)
    number = int.from_bytes(hashlib.sha256(b"patches first scan " + identify().encode()).digest()[:8], "big")
    return most * (number / 2**64)
