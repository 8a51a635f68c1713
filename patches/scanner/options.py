"""The options of patches-scanner and of ``patches scan``."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from patches.daemon import DaemonOptions
from patches.platforms import Platform
from patches.scanner.os_release import detect_platform, support_end
from patches.scanner.outcome import Target
from patches.settings import Setting, minutes, seconds, url


def platform(text: str) -> str:
    """Read a platform's name."""
    return str(Platform.from_name(text.strip()))


def folder(text: str) -> Path:
    """Read the path of a folder that is there."""
    path = Path(text)
    if not path.is_dir():
        raise ValueError("there is no such folder")
    return path


def host_name(text: str) -> str:
    """Read the name under which a host is reported."""
    if not text.strip() or len(text) > 255:
        raise ValueError("must be a host name")
    return text.strip()


SCAN_SETTINGS = (
    Setting("patches-server", "http://127.0.0.1:8080", url, "The base URL of the patches-server."),
    Setting("platform", None, platform, "The platform, such as debian-12; told from os-release if not given."),
    Setting("root", "/", folder, "The root folder of the host to scan; nothing in it is executed."),
    Setting("host", None, host_name, "The name under which the host is reported; its host name if not given."),
    Setting("reporter", None, url, "Where to report: the URL to which reports are posted; nowhere if not given."),
    Setting("state-dir", "/var/lib/patches-scanner", Path, "The folder where reports wait until they are accepted."),
    Setting("patience", "10m", seconds, "How long to go on when a server that was there answers no more, or denies."),
)

SETTINGS = (
    *SCAN_SETTINGS,
    Setting("scan-frequency", "720", minutes, "How often to scan, in minutes (or 90s, 6h, 1d)."),
    Setting("jitter", "10", minutes, "Up to so many minutes are added to each pause, so that a fleet spreads."),
    Setting("settle", "1m", seconds, "Scan again when the package database has changed, and then not for so long."),
)

ALIASES = {"mozdef-proxy": "reporter"}


def target_of(values: Mapping[str, Any]) -> Target:
    """
    Tell what to scan.

    :raises UnknownPlatform: if the platform is not given, and cannot be told.
    """
    root = values["root"]
    return Target(
        values["host"] or socket.gethostname(),
        values["platform"] or detect_platform(root),
        root,
        running=os.uname().release if root.resolve() == Path("/") else None,
        support_end=support_end(root),
    )


class Options(DaemonOptions):
    """What twistd reads for patches-scanner."""

    program = "patches-scanner"
    settings = SETTINGS
    aliases = ALIASES
    longdesc = "Scans this host at once and then by schedule, and reports what it finds."
