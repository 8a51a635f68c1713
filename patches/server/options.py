"""The options of patches-server, in the groups in which its parts take them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from patches.server.sessions.chunk_response import MAX_RESPONSE_BYTES
from patches.service.daemon import DaemonOptions
from patches.service.log.log_level import LogSettings
from patches.setting_parsers import (
    Networks,
    count,
    count_up_to,
    endpoint,
    flag,
    fraction,
    networks,
    platform_names,
    rate,
    seconds,
    size,
    url,
)
from patches.settings import Sections, group, option, tables
from patches.storage.database_url import database_url

if TYPE_CHECKING:
    from patches.storage.database_url import URL


def window_size(text: str) -> int:
    """Parse the size of a window: at least one chunk of the largest size."""
    value = size(text)
    if value < MAX_RESPONSE_BYTES:
        raise ValueError(f"must be {-(-MAX_RESPONSE_BYTES // 1024)}KiB or more: one chunk of the largest size")
    return value


@frozen(kw_only=True)
class HttpSettings:
    """The HTTP API."""

    listen: str = option("tcp:8080:interface=127.0.0.1", endpoint, "Where to listen: a Twisted endpoint string.")
    signing_key: Path | None = option(
        None,
        Path,
        "An Ed25519 key (PEM) that signs the description of each list, for --verify-key; read again on SIGHUP.",
        reloaded=True,
    )
    trusted_proxies: Networks | None = option(
        None,
        networks,
        "The proxies whose X-Forwarded-For is believed: addresses or networks, separated by commas.",
    )
    no_fast_path: bool = option(
        "false", flag, "Parse every request for a chunk, also a plain one; this takes more time, and changes no answer."
    )


@frozen(kw_only=True)
class CatalogueSettings:
    """The location of the catalogue: of the server, and of the commands that inspect it."""

    state_dir: Path = option("/var/lib/patches-server", Path, "The folder of the catalogue and the session key.")
    database: URL | None = option(
        None,
        database_url,
        "The catalogue's database, sqlite:///… or postgresql+psycopg://…; a file in the state folder if not given.",
        secret=True,
    )


@frozen(kw_only=True)
class SourceSettings:
    """The vulnerability sources."""

    clair: str | None = option(
        None, url, "The base URL of a Clair (API v1) to read, such as http://127.0.0.1:6060.", secret=True
    )
    clair_rate: float | None = option(
        None, rate, "The highest number of requests to Clair a second; no limit if not given."
    )
    clair_full_walk: timedelta = option(
        "1d", seconds, "How often to read Clair's lists completely; between these reads, only changes are read."
    )
    list_file: Path | None = option(
        None, Path, "A file of vulnerabilities in Patches' wire format (NDJSON) to read.", name="list"
    )
    source: Sections = tables("In the file: tables [source.NAME], each a source; see the reference of sources.")
    ecosystem: Sections = tables(
        'In the file: tables [ecosystem."NAME"], each one more OSV ecosystem; see the reference of sources.'
    )
    no_public_sources: bool = option("false", flag, "Ask no public feed for platforms that no configured source has.")


@frozen(kw_only=True)
class RefreshSettings:
    """The refresh of the lists."""

    platforms: tuple[str, ...] | None = option(
        None, platform_names, "The platforms to serve, separated by commas; all that the sources have if not given."
    )
    refresh_interval: timedelta = option("6h", seconds, "How often to refresh each list: a time (30s, 10m, 6h, 1d).")
    parallel_sources: int = option("2", count_up_to(64), "How many sources are read side by side, 64 at most.")
    most_shrink: float = option(
        "10%", fraction, "A list that shrinks by more than this is held back until somebody accepts it."
    )
    keep_replaced: timedelta = option("1d", seconds, "How long a replaced list is kept, for the scanners that have it.")


@frozen(kw_only=True)
class SessionSettings:
    """The limits of the sessions of each platform, and of their windows."""

    max_active: int = option("4096", count, "Sessions of a platform that may read at once.")
    max_queued: int = option("8192", count, "Sessions of a platform that may wait; beyond that they are denied.")
    max_share: float = option(
        "1%",
        fraction,
        "While all places to wait are taken: an address that has more of them than this gives way to addresses that "
        "have fewer; 100%: never.",
    )
    session_timeout: timedelta = option("30s", seconds, "Expire an active session that is silent for this time.")
    queue_timeout: timedelta = option("60s", seconds, "Expire a queued session that is silent for this time.")
    chunk_timeout: timedelta = option(
        "60s",
        seconds,
        "A session that has delayed others this long, in all, gets a window of its own, or expires.",
    )
    window_bytes: int = option("32MiB", window_size, "The most that one cache window may hold, in bytes, KiB or MiB.")
    session_key_file: Path | None = option(
        None, Path, "The key that signs sessions, created if absent; session.key in the state folder if not given."
    )


@frozen(kw_only=True)
class ServerSettings:
    """Every option of the server."""

    http: HttpSettings = group(HttpSettings)
    catalogue: CatalogueSettings = group(CatalogueSettings)
    sources: SourceSettings = group(SourceSettings)
    refresh: RefreshSettings = group(RefreshSettings)
    sessions: SessionSettings = group(SessionSettings)
    memory_limit: int = option(
        "256MiB",
        size,
        "The memory that the process and its workers may have resident, in bytes, KiB, MiB or GiB.",
    )
    log: LogSettings = group(LogSettings)


class Options(DaemonOptions[ServerSettings]):
    """The options that twistd parses for patches-server."""

    program = "patches-server"
    declared = ServerSettings
    longdesc = "Reads complete lists of vulnerabilities from sources and serves them to the scanners of a fleet."
