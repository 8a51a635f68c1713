"""The options of patches-scanner, and of the commands ``patches scan``, ``explain`` and ``inventory``."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import evolve

from patches.platforms import Platform
from patches.scanner.client.cache import ListCache
from patches.scanner.client.trust import SeenLists, Trust
from patches.scanner.host.os_release import detect_platform, system_of
from patches.scanner.matching.coverage import Origins
from patches.scanner.matching.ignore_files import read_ignores
from patches.scanner.matching.ignores import Ignores
from patches.scanner.outcome import Target
from patches.scanner.output.exit_codes import NEVER
from patches.scanner.output.formats import FORMATS, TABLE
from patches.scanner.scan import Policy
from patches.service.daemon import DaemonOptions
from patches.settings import BadSetting, Setting, count, flag, minutes, one_of, seconds, url
from patches.signing import BadKey, VerifyKey
from patches.tracks import is_track
from patches.vulnerability import Severity

_TRACK = re.compile(r"[a-z0-9][a-z0-9._-]*\Z")


def platform(text: str) -> str:
    """Parse the name of a platform."""
    return str(Platform.from_name(text.strip()))


def folder(text: str) -> Path:
    """Parse the path of an existing folder."""
    path = Path(text)
    if not path.is_dir():
        raise ValueError("the folder does not exist")
    return path


def host_name(text: str) -> str:
    """Parse the name under which a host is reported."""
    if not text.strip() or len(text) > 255:
        raise ValueError("must be a host name")
    return text.strip()


def tracks(text: str) -> frozenset[str]:
    """Parse a comma-separated list of track names; ``none`` is the empty list."""
    names = {name.strip() for name in text.split(",") if name.strip()}
    if not names or not all(_TRACK.match(name) for name in names) or (len(names) > 1 and "none" in names):
        raise ValueError("must be track names such as esm, separated by commas, or none")
    unknown = sorted(name for name in names - {"none"} if not is_track(name))
    if unknown:
        raise ValueError(f"there is no track {unknown[0]!r}; the tracks are in the reference of tracks and makers")
    return frozenset(names - {"none"})


def origins(text: str) -> tuple[str, ...]:
    """Parse a list of origins, separated by commas; each may have ``*`` and ``?``."""
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise ValueError("must be origins such as 'ACME*', separated by commas")
    return names


def unjudged_limit(text: str) -> int | None:
    """Parse the number of unjudged packages from which a scan fails; ``never`` becomes ``None``."""
    return None if text.strip() == NEVER else count(text)


def severity_limit(text: str) -> Severity | None:
    """Parse the lowest severity that counts; ``never`` becomes ``None``."""
    names = {**{severity.name.lower(): severity for severity in Severity}, NEVER: None}
    return names[one_of(*names)(text)]


SCAN_SETTINGS = (
    Setting("patches-server", "http://127.0.0.1:8080", url, "The base URL of the patches-server."),
    Setting("platform", None, platform, "The platform, such as debian-12; read from os-release if not given."),
    Setting("root", "/", folder, "The root folder of the host to scan; nothing in it is executed."),
    Setting("host", None, host_name, "The name under which the host is reported; its host name if not given."),
    Setting("reporter", None, url, "The URL to which reports are posted; nothing is reported if not given."),
    Setting(
        "state-dir",
        "/var/lib/patches-scanner",
        Path,
        "The folder for reports that are not delivered yet, and for the record of the newest list that was seen.",
    ),
    Setting("verify-key", None, Path, "The PEM file of the public key that must have signed the server's lists."),
    Setting("patience", "10m", seconds, "How long to retry if the server stops answering or denies the session."),
    Setting("max-age", "7d", seconds, "The longest time since the list was last checked against its sources."),
    Setting("ignore", None, Path, "A file of decisions (TOML or OpenVEX) about findings that do not count."),
    Setting(
        "track", None, tracks, "The tracks enabled on the host, such as esm or eus-9.4, or none; detected if not given."
    ),
    Setting("cache", None, Path, "A folder that caches the list, used if it is unchanged or the server is away."),
    Setting("include-unfixed", "false", flag, "Show findings without a fix with the others, and count them."),
    Setting(
        "include-old-kernels", "false", flag, "Count the findings of kernels that are older than the running one, too."
    ),
    Setting("own-origins", None, origins, "Vendors and apt origins whose packages are the distribution's: a mirror."),
    Setting("foreign-origins", None, origins, "Vendors and apt origins whose packages are not the distribution's."),
)

#: The additional options of ``patches scan``.
OUTPUT_SETTINGS = (
    Setting("format", TABLE, one_of(*FORMATS), f"The output format: {', '.join(FORMATS)}."),
    Setting("output", None, Path, "The file to write, completely or not at all; standard output if not given."),
    Setting("fail-on", "unknown", severity_limit, "The lowest severity that causes exit code 1; or never."),
    Setting(
        "fail-on-unjudged",
        NEVER,
        unjudged_limit,
        "Exit with code 6 if at least this number of packages could not be judged; without a number: 1.",
        implied="1",
    ),
    Setting("fail-on-eol", "false", flag, "Exit with code 6 if the support of the platform has ended."),
    Setting("verbose", "false", flag, "Name every package in the table that is affected or was not evaluated."),
    Setting("quiet", "false", flag, "Print only the document: no progress and no notes."),
)
ONCE_SETTINGS = (*SCAN_SETTINGS, *OUTPUT_SETTINGS)

_FORM = Setting("format", TABLE, one_of(TABLE, "json"), f"The output format: {TABLE} or json.")
#: The options of ``patches inventory``, which sends no request to the server; and of ``patches explain``.
_HOST = ("platform", "root", "host", "track", "own-origins", "foreign-origins")
INVENTORY_SETTINGS = (
    *(
        # these commands report nothing
        evolve(each, help="The name of the host in the output; its host name if not given.")
        if each.name == "host"
        else each
        for each in SCAN_SETTINGS
        if each.name in _HOST
    ),
    _FORM,
)
EXPLAIN_SETTINGS = (
    *(each for each in SCAN_SETTINGS if each.name in ("patches-server", "patience", "state-dir", "verify-key")),
    *INVENTORY_SETTINGS,
)

SETTINGS = (
    *SCAN_SETTINGS,
    Setting("scan-frequency", "12h", minutes, "How often to scan: a time (90s, 6h, 1d), or a number of minutes."),
    Setting(
        "jitter",
        "10m",
        minutes,
        "The longest random delay added to each pause, to spread the scans of a fleet: a time, or a number of minutes.",
    ),
    Setting(
        "settle",
        "1m",
        seconds,
        "Scan again when the package database has changed, and then has been unchanged for this long.",
    ),
)

#: An earlier name of an option → its current name.
ALIASES = {"mozdef-proxy": "reporter", "channel": "track"}


def target_of(values: Mapping[str, Any]) -> Target:
    """
    Return the target of the scan.

    :param values: by option name, as :func:`patches.settings.resolve` returns them; so in every function below.
    :raises UnknownPlatform: if the platform is not given and cannot be detected.
    """
    root = values["root"]
    # the running kernel is this host's: that of a mounted image is not known
    return Target(
        host_of(values),
        values["platform"] or detect_platform(root),
        root,
        running=os.uname().release if root.resolve() == Path("/") else None,
        tracks=values["track"],
        system=system_of(root),
        origins=Origins(values.get("own-origins") or (), values.get("foreign-origins") or ()),
    )


def host_of(values: Mapping[str, Any]) -> str:
    """Return the name under which the host is reported."""
    return values["host"] or socket.gethostname()


def cache_of(values: Mapping[str, Any], target: Target) -> ListCache | None:
    """Return the cache of the target's list; ``None`` if lists are not cached."""
    return ListCache(values["cache"], target.platform) if values["cache"] is not None else None


def trust_of(values: Mapping[str, Any]) -> Trust | None:
    """
    Return the key that must have signed the lists; ``None`` if lists need no signature.

    :raises BadSetting: if the key cannot be read.
    """
    if values["verify-key"] is None:
        return None
    try:
        return Trust(VerifyKey.from_file(values["verify-key"]), SeenLists(values["state-dir"] / "seen"))
    except BadKey as error:
        raise BadSetting(f"--verify-key {error}") from error


def policy_of(values: Mapping[str, Any]) -> Policy:
    """
    Return the user's policy about old lists and findings.

    :raises BadIgnores: if the file of decisions is invalid.
    """
    ignores = read_ignores(values["ignore"]) if values["ignore"] is not None else Ignores()
    return Policy(values["max-age"], ignores, values["include-unfixed"], values["include-old-kernels"])


class Options(DaemonOptions):
    """The command line of ``twistd patches-scanner``."""

    program = "patches-scanner"
    settings = SETTINGS
    aliases = ALIASES
    longdesc = "Scans this host at startup and then on a schedule, and reports the findings."
