"""Detection of a host's subscriptions: tracks with fixes for subscribers only, which a list keeps apart."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from patches.scanner.inventory import Package
from patches.scanner.inventory.rootfs import open_inside, resolve_inside

#: Ubuntu Pro's extended security maintenance.
ESM = "esm"
_PRO_STATUS = "var/lib/ubuntu-advantage/status.json"
_APT_SOURCES = "etc/apt/sources.list.d"
_MOST_BYTES = 1024 * 1024


def tracks_of_host(root: Path, packages: Iterable[Package]) -> frozenset[str]:
    """
    Return the tracks that are enabled on the host whose root folder is ``root``.

    A host has ``esm`` if a version from that track is installed (the sign that remains longest), if its apt has a
    source for it, or if the status file of the Ubuntu Pro client says that the host is attached.
    """
    if any("+esm" in package.version or "~esm" in package.version for package in packages):
        return frozenset((ESM,))
    return frozenset((ESM,)) if _apt_reads_esm(root) or _is_attached(root) else frozenset()


def _apt_reads_esm(root: Path) -> bool:
    try:
        names = [entry.name for entry in resolve_inside(root, _APT_SOURCES).iterdir()]
    except OSError:
        return False
    return any(name.startswith("ubuntu-esm-") and name.endswith((".list", ".sources")) for name in names)


def _is_attached(root: Path) -> bool:
    try:
        with open_inside(root, _PRO_STATUS) as file:
            status = json.loads(file.read(_MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(status, dict) and status.get("attached") is True
