"""The options of patches-scanner, and of the commands ``patches scan``, ``explain`` and ``inventory``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from attrs import frozen

from patches.http.access.proxies import Proxy
from patches.platforms import Platform
from patches.scanner.output.fail_on import NEVER, FailOn
from patches.scanner.output.formats import FORMATS, TABLE, TEMPLATE
from patches.scanner.output.tables.view import COLUMNS, UPGRADE
from patches.service.lifecycle.priority import niceness
from patches.service.log.log_level import LogSettings
from patches.service.places.setting_places import Family
from patches.service.places.user_folders import SYSTEM_STATE, NoHomeFolder, config_folder, state_folder
from patches.setting_parsers import count, flag, minutes, one_of, seconds, url
from patches.settings import group, option
from patches.tracks import is_track
from patches.vulnerability import Severity

#: The server of a scanner that is not told any.
DEFAULT_SERVER = "http://127.0.0.1:8080"

_SEVERITIES = tuple(severity.name.lower() for severity in Severity)
_COLUMNS = tuple(dict.fromkeys(name for columns in COLUMNS.values() for name in columns))
_TRACK = re.compile(r"[a-z0-9][a-z0-9._-]*\Z")


def platform_name(text: str) -> str:
    """Parse the name of a platform."""
    return str(Platform.from_name(text.strip()))


def folder(text: str) -> Path:
    """Parse the path of an existing folder."""
    path = Path(text)
    if not path.is_dir():
        raise ValueError("the folder does not exist")
    return path


def state_place(text: str) -> Path:
    """Parse the path of the folder of state; the system's stands for the user's own where only others can use it."""
    return state_folder(Path(text))


def host_name(text: str) -> str:
    """Parse the name under which a host is reported."""
    if not text.strip() or len(text) > 255:
        raise ValueError("must be a host name")
    return text.strip()


def track_names(text: str) -> frozenset[str]:
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


def source_section(text: str) -> Mapping[str, str]:
    """Parse a source, ``KIND=PATH_OR_URL``, to a section of the server's configuration."""
    kind, sign, location = text.strip().partition("=")
    if not sign or not kind or not location:
        raise ValueError("must be KIND=PATH or KIND=URL, such as osv=/srv/osv")
    return {"kind": kind, "url" if location.startswith(("http://", "https://")) else "path": location}


def unjudged_limit(text: str) -> int | None:
    """Parse the number of unjudged packages from which a scan fails; ``never`` becomes ``None``."""
    return None if text.strip() == NEVER else count(text)


def form_name(text: str) -> str:
    """Parse the name of an output format, or ``template=`` with a path."""
    return text if text.startswith(TEMPLATE) and text != TEMPLATE else one_of(*FORMATS)(text)


def places(text: str) -> tuple[str, ...]:
    """Parse the places of the output, one in each line."""
    found = tuple(line.strip() for line in text.split("\n") if line.strip())
    if not found:
        raise ValueError("must be a file, or - for standard output")
    return found


def column_names(text: str) -> tuple[str, ...]:
    """Parse the names of columns, separated by commas."""
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise ValueError("must be names of columns, separated by commas")
    return names


def time_or_never(text: str) -> timedelta | None:
    """Parse a time; ``never`` becomes ``None``."""
    return None if text.strip() == NEVER else seconds(text)


def severity_limit(text: str) -> Severity | None:
    """Parse the lowest severity that counts; ``never`` becomes ``None``."""
    names = {**{severity.name.lower(): severity for severity in Severity}, NEVER: None}
    return names[one_of(*names)(text)]


@frozen(kw_only=True)
class AccessSettings:
    """The server, and what is required of its lists."""

    patches_server: str | None = option(
        None, url, f"The base URL of the patches-server. [{DEFAULT_SERVER}]", name="patches-server"
    )
    proxy: Proxy | None = option(
        None,
        Proxy.from_url,
        "The proxy for all requests, such as http://USER:PASSWORD@HOST:PORT; if not given, HTTPS_PROXY, HTTP_PROXY and "
        "NO_PROXY of the environment.",
        secret=True,
    )
    ca: Path | None = option(
        None,
        Path,
        "The PEM file of the authorities that may issue the certificates of servers, in place of the system's.",
    )
    patience: timedelta = option(
        "10m", seconds, "How long to retry if the server stops answering or denies the session."
    )
    timeout: timedelta = option(
        "15m", seconds, "The longest time of a scan, whatever the server does; then it is incomplete."
    )
    verify_key: Path | None = option(
        None,
        Path,
        "The PEM file of the public key that must have signed the server's lists; the daemon reads it again on SIGHUP.",
        reloaded=True,
    )
    state_dir: Path = option(
        str(SYSTEM_STATE),
        state_place,
        "The folder for reports that are not delivered yet, and for the record of the newest list that was seen; for a "
        "user who cannot write to the default, ~/.local/state/patches.",
    )


@frozen(kw_only=True)
class HostSettings:
    """The host, and what is known of it beside its files."""

    platform: str | None = option(
        None, platform_name, "The platform, such as debian-12; read from os-release if not given."
    )
    root: Path = option("/", folder, "The root folder of the host to scan; nothing in it is executed.")
    name: str | None = option(
        None, host_name, "The name of the host in the output and in reports; its host name if not given.", name="host"
    )
    track: frozenset[str] | None = option(
        None,
        track_names,
        "The tracks enabled on the host, such as esm or eus-9.4, or none; detected if not given.",
        aliases=("channel",),
    )
    own_origins: tuple[str, ...] | None = option(
        None, origins, "Vendors and apt origins whose packages are the distribution's: a mirror."
    )
    foreign_origins: tuple[str, ...] | None = option(
        None, origins, "Vendors and apt origins whose packages are not the distribution's."
    )


@frozen(kw_only=True)
class PolicySettings:
    """The user's policy about old lists and findings."""

    max_age: timedelta = option("7d", seconds, "The longest time since the list was last checked against its sources.")
    ignore: Path | None = option(
        None,
        Path,
        "A file of decisions (TOML, OpenVEX, CSAF or CycloneDX VEX) about findings that do not count; the daemon reads "
        "it again when it has changed, and on SIGHUP.",
        reloaded=True,
    )
    include_unfixed: bool = option("false", flag, "Show findings without a fix with the others, and count them.")
    include_old_kernels: bool = option(
        "false", flag, "Count the findings of kernels that are older than the running one, too."
    )


@frozen(kw_only=True)
class ScanSettings:
    """The options of a scan, by the daemon or by ``patches scan``."""

    access: AccessSettings = group(AccessSettings)
    host: HostSettings = group(HostSettings)
    reporter: str | None = option(
        None,
        url,
        "The URL to which reports are posted; nothing is reported if not given.",
        aliases=("mozdef-proxy",),
    )
    cache: Path | None = option(
        None,
        Path,
        "A folder that caches the list, used if it is unchanged or the server cannot be reached; the daemon has one in "
        "its state folder if none is given.",
    )
    policy: PolicySettings = group(PolicySettings)


@frozen(kw_only=True)
class ScannerSettings(ScanSettings):
    """Every option of the daemon."""

    scan_frequency: timedelta = option(
        "12h", minutes, "How often to scan: a time (90s, 6h, 1d), or a number of minutes."
    )
    jitter: timedelta = option(
        "10m",
        minutes,
        "The longest random delay added to each pause, and the longest delay of the first scan after a boot, to spread "
        "the scans of a fleet: a time, or a number of minutes.",
    )
    check_frequency: timedelta | None = option(
        "5m",
        time_or_never,
        "The longest time between two questions to the server whether the list has changed; then the host is scanned "
        "at once. Never: it is scanned on schedule alone.",
    )
    settle: timedelta = option(
        "1m",
        seconds,
        "Scan again when the package database has changed, and then has been unchanged for this long.",
    )
    nice: int = option(
        "10",
        niceness,
        "The niceness of the daemon, 0 to 19: how far other programs go before it; a greater one at its start stays.",
    )
    log: LogSettings = group(LogSettings)


@frozen(kw_only=True)
class OutputSettings:
    """The output of ``patches scan``, and its exit code."""

    format: str = option(
        TABLE,
        form_name,
        f"The output format: {', '.join(FORMATS)}; or {TEMPLATE}FILE, a template of Jinja2.",
        values=(*FORMATS, TEMPLATE),
    )
    output: tuple[str, ...] | None = option(
        None,
        places,
        "The file to write, completely or not at all, or - for standard output, which is the default; FORMAT=FILE for "
        "a format of its own. It may be given several times.",
        is_repeatable=True,
    )
    by: str = option(UPGRADE, one_of(*COLUMNS), "What a row of the table is: an upgrade, or a finding.")
    columns: tuple[str, ...] | None = option(
        None,
        column_names,
        "The columns of the table, separated by commas: see the reference of output formats.",
        values=_COLUMNS,
    )
    sort_by: str | None = option(
        None, str.strip, "The column by which the table is sorted; by severity if not given.", values=_COLUMNS
    )
    severity: Severity | None = option(
        None,
        severity_limit,
        "The lowest severity of the rows of the table; it does not change the exit code.",
        values=_SEVERITIES,
    )
    only_fixed: bool = option(
        "false", flag, "Show only rows with a fix in the table; it does not change the exit code."
    )
    kev: bool = option(
        "false",
        flag,
        "Show only findings in the table that are known to be exploited (CISA's KEV catalogue); it does not change the "
        "exit code.",
    )
    fail_on: FailOn = option(
        "unknown",
        FailOn.from_text,
        "The findings that cause exit code 1: the lowest severity, kev (known to be exploited), epss=0.9 (the lowest "
        "EPSS percentile), or several of them with commas; or never.",
        values=(*_SEVERITIES, "kev", "epss=0.9", NEVER),
    )
    allow_unknown_severity: bool = option(
        "false", flag, "Do not count findings of unknown severity if --fail-on names a severity."
    )
    fail_on_unjudged: int | None = option(
        NEVER,
        unjudged_limit,
        "Exit with code 6 if at least this number of packages could not be judged; without a number: 1.",
        implied="1",
    )
    fail_on_eol: bool = option("false", flag, "Exit with code 6 if the support of the platform has ended.")
    verbose: bool = option("false", flag, "Name every package in the table that is affected or was not evaluated.")
    quiet: bool = option("false", flag, "Print only the document: no progress and no notes.")


@frozen(kw_only=True)
class StandaloneSettings:
    """The reading of a list without a server."""

    standalone: bool = option(
        "false", flag, "Read the public feed of the platform in this process, whether there is a server or not."
    )
    source: Mapping[str, str] | None = option(
        None, source_section, "Read this source in this process: KIND=PATH or KIND=URL, of a kind that servers read."
    )
    list_file: Path | None = option(
        None, Path, "Read this file of vulnerabilities (NDJSON) in this process.", name="list"
    )
    offline: bool = option("false", flag, "Ask nobody: compare the list that was kept last.")


@frozen(kw_only=True)
class ScanCommandSettings(ScanSettings):
    """The options of ``patches scan``."""

    standalone: StandaloneSettings = group(StandaloneSettings)
    output: OutputSettings = group(OutputSettings)


@frozen(kw_only=True)
class InventorySettings:
    """The options of ``patches inventory``, which sends no request to the server."""

    host: HostSettings = group(HostSettings)
    format: str = option(TABLE, one_of(TABLE, "json"), f"The output format: {TABLE} or json.")


@frozen(kw_only=True)
class ExplainSettings(InventorySettings):
    """The options of ``patches explain``."""

    access: AccessSettings = group(AccessSettings)
    standalone: StandaloneSettings = group(StandaloneSettings)
    cache: Path | None = option(None, Path, "The folder of the list that is read without a server.")


def option_files() -> tuple[Path, ...]:
    """Return the files of options that are read if they exist; the second one takes precedence."""
    system = Path("/etc/patches/scanner.toml")
    try:
        return system, config_folder() / "scanner.toml"
    except NoHomeFolder:
        return (system,)


#: The daemon, and the commands that share its files and variables.
FAMILY = Family((ScannerSettings, ScanCommandSettings, ExplainSettings), option_files)
