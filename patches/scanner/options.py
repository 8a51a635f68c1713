"""The options of patches-scanner and of ``patches scan``."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from patches.platforms import Platform
from patches.scanner.client.cache import ListCache
from patches.scanner.client.trust import SeenLists, Trust
from patches.scanner.host.os_release import detect_platform, support_end
from patches.scanner.matching.ignore_files import read_ignores
from patches.scanner.matching.ignores import Ignores
from patches.scanner.outcome import Target
from patches.scanner.output.exit_codes import NEVER
from patches.scanner.output.formats import FORMATS, TABLE
from patches.scanner.scan import Policy
from patches.service.daemon import DaemonOptions
from patches.settings import BadSetting, Setting, flag, minutes, one_of, seconds, url
from patches.signing import BadKey, VerifyKey
from patches.vulnerability import Severity

_CHANNEL = re.compile(r"[a-z0-9][a-z0-9._-]*\Z")


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


def channels(text: str) -> frozenset[str]:
    """Read channel names with commas between them; ``none`` is no channel at all."""
    names = {name.strip() for name in text.split(",") if name.strip()}
    if not names or not all(_CHANNEL.match(name) for name in names) or (len(names) > 1 and "none" in names):
        raise ValueError("must be channel names such as esm, or none")
    return frozenset(names - {"none"})


def severity_limit(text: str) -> Severity | None:
    """Read the severity from which on findings count; ``None`` for ``never``."""
    names = {**{severity.name.lower(): severity for severity in Severity}, NEVER: None}
    return names[one_of(*names)(text)]


SCAN_SETTINGS = (
    Setting("patches-server", "http://127.0.0.1:8080", url, "The base URL of the patches-server."),
    Setting("platform", None, platform, "The platform, such as debian-12; told from os-release if not given."),
    Setting("root", "/", folder, "The root folder of the host to scan; nothing in it is executed."),
    Setting("host", None, host_name, "The name under which the host is reported; its host name if not given."),
    Setting("reporter", None, url, "Where to report: the URL to which reports are posted; nowhere if not given."),
    Setting(
        "state-dir",
        "/var/lib/patches-scanner",
        Path,
        "The folder where reports wait until they are accepted, and where it stands which list was the newest.",
    ),
    Setting("verify-key", None, Path, "The file of the public key (PEM) by which the server's lists must be signed."),
    Setting("patience", "10m", seconds, "How long to go on when a server that was there answers no more, or denies."),
    Setting("max-age", "7d", seconds, "How long ago the list may have been checked against its sources."),
    Setting("ignore", None, Path, "A file of decisions, TOML or OpenVEX: findings that do not count, and why."),
    Setting("channel", None, channels, "Which channels the host has, esm or none; told from its files if not given."),
    Setting("cache", None, Path, "A folder where the list is kept, for when it is unchanged or the server is away."),
    Setting("include-unfixed", "false", flag, "Findings without a fix are shown with the rest, and count."),
)

#: Of ``patches scan`` alone.
OUTPUT_SETTINGS = (
    Setting("format", TABLE, one_of(*FORMATS), f"What to make: {', '.join(FORMATS)}."),
    Setting("output", None, Path, "The file to write, whole or not at all; standard output if not given."),
    Setting("fail-on", "unknown", severity_limit, "From which severity on findings give exit code 1; or never."),
    Setting("verbose", "false", flag, "The table names every package that is affected or was not judged."),
    Setting("quiet", "false", flag, "No progress and no notes: the document only."),
)
ONCE_SETTINGS = (*SCAN_SETTINGS, *OUTPUT_SETTINGS)

_FORM = Setting("format", TABLE, one_of(TABLE, "json"), f"What to make: {TABLE} or json.")
#: Of ``patches inventory``, which asks no server; and of ``patches explain``.
INVENTORY_SETTINGS = (*(each for each in SCAN_SETTINGS if each.name in ("platform", "root", "host", "channel")), _FORM)
EXPLAIN_SETTINGS = (
    *(each for each in SCAN_SETTINGS if each.name in ("patches-server", "patience", "state-dir", "verify-key")),
    *INVENTORY_SETTINGS,
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
        host_of(values),
        values["platform"] or detect_platform(root),
        root,
        running=os.uname().release if root.resolve() == Path("/") else None,
        channels=values["channel"],
        support_end=support_end(root),
    )


def host_of(values: Mapping[str, Any]) -> str:
    """Tell the name under which the host is reported."""
    return values["host"] or socket.gethostname()


def cache_of(values: Mapping[str, Any], target: Target) -> ListCache | None:
    """Give where the list of a target is kept between scans."""
    return ListCache(values["cache"], target.platform) if values["cache"] is not None else None


def trust_of(values: Mapping[str, Any]) -> Trust | None:
    """
    Tell by whom lists must be signed; ``None``: by nobody.

    :raises BadSetting: if the key cannot be used.
    """
    if values["verify-key"] is None:
        return None
    try:
        return Trust(VerifyKey.from_file(values["verify-key"]), SeenLists(values["state-dir"] / "seen"))
    except BadKey as error:
        raise BadSetting(f"--verify-key {error}") from error


def policy_of(values: Mapping[str, Any]) -> Policy:
    """
    Tell what the user thinks of what may come.

    :raises BadIgnores: if the file of decisions cannot be read whole.
    """
    ignores = read_ignores(values["ignore"]) if values["ignore"] is not None else Ignores()
    return Policy(values["max-age"], ignores, values["include-unfixed"])


class Options(DaemonOptions):
    """What twistd reads for patches-scanner."""

    program = "patches-scanner"
    settings = SETTINGS
    aliases = ALIASES
    longdesc = "Scans this host at once and then by schedule, and reports what it finds."
