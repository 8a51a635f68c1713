"""The options of patches-server."""

from __future__ import annotations

from pathlib import Path

from patches.server.sessions.chunk_response import MAX_RESPONSE_BYTES
from patches.service.daemon import DaemonOptions
from patches.settings import Setting, count, endpoint, flag, fraction, networks, platforms, rate, seconds, size, table, url
from patches.storage.database_url import database_url


def window_size(text: str) -> int:
    """Parse the size of a window: at least one chunk of the largest size."""
    value = size(text)
    if value < MAX_RESPONSE_BYTES:
        raise ValueError(f"must be {-(-MAX_RESPONSE_BYTES // 1024)}KiB or more: one chunk of the largest size")
    return value


SETTINGS = (
    Setting("listen", "tcp:8080:interface=127.0.0.1", endpoint, "Where to listen: a Twisted endpoint string."),
    Setting("state-dir", "/var/lib/patches-server", Path, "The folder of the catalogue and the session key."),
    Setting(
        "database",
        None,
        database_url,
        "The catalogue's database, sqlite:///… or postgresql+psycopg://…; a file in the state folder if not given.",
        secret=True,
    ),
    Setting("clair", None, url, "The base URL of a Clair (API v1) to read, such as http://127.0.0.1:6060."),
    Setting("clair-rate", None, rate, "The highest number of requests to Clair a second; no limit if not given."),
    Setting(
        "clair-full-walk",
        "1d",
        seconds,
        "How often to read Clair's lists completely; between these reads, only changes are read.",
    ),
    Setting("list", None, Path, "A file of vulnerabilities in Patches' wire format (NDJSON) to read."),
    Setting("source", None, table, "In the file: tables [source.NAME], each a source; see the reference of sources."),
    Setting(
        "ecosystem",
        None,
        table,
        'In the file: tables [ecosystem."NAME"], each one more OSV ecosystem; see the reference of sources.',
    ),
    Setting("no-public-sources", "false", flag, "Ask no public feed for platforms that no configured source has."),
    Setting(
        "platforms",
        None,
        platforms,
        "The platforms to serve, separated by commas; all that the sources have if not given.",
    ),
    Setting("refresh-interval", "6h", seconds, "How often to refresh each list: a time (30s, 10m, 6h, 1d)."),
    Setting(
        "most-shrink", "10%", fraction, "A list that shrinks by more than this is held back until somebody accepts it."
    ),
    Setting("keep-replaced", "1d", seconds, "How long a replaced list is kept, for the scanners that have it."),
    Setting("max-active", "8192", count, "Sessions of a platform that may read at once."),
    Setting("max-queued", "8192", count, "Sessions of a platform that may wait; beyond that they are denied."),
    Setting(
        "max-share",
        "1%",
        fraction,
        "While all places to wait are taken: an address that has more of them than this gives way to addresses that "
        "have fewer; 100%: never.",
    ),
    Setting(
        "trusted-proxies",
        None,
        networks,
        "The proxies whose X-Forwarded-For is believed: addresses or networks, separated by commas.",
    ),
    Setting("session-timeout", "30s", seconds, "Expire an active session that is silent for this time."),
    Setting("queue-timeout", "60s", seconds, "Expire a queued session that is silent for this time."),
    Setting(
        "chunk-timeout",
        "60s",
        seconds,
        "A session that has delayed others at one chunk for this long gets a window of its own, or expires.",
    ),
    Setting("window-bytes", "32MiB", window_size, "The most that one cache window may hold, in bytes, KiB or MiB."),
    Setting(
        "memory-limit", "256MiB", size, "The memory that the process may have resident, in bytes, KiB, MiB or GiB."
    ),
    Setting(
        "session-key-file", None, Path, "The key that signs sessions; session.key in the state folder if not given."
    ),
    Setting(
        "signing-key", None, Path, "An Ed25519 key (PEM) that signs the description of each list, for --verify-key."
    ),
)


class Options(DaemonOptions):
    """The options that twistd parses for patches-server."""

    program = "patches-server"
    settings = SETTINGS
    longdesc = "Reads complete lists of vulnerabilities from sources and serves them to the scanners of a fleet."
