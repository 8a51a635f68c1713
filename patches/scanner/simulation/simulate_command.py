"""The command ``patches simulate``: many scanners read a list at the same time, to see what a server can do."""

from __future__ import annotations

import json
import socket
import sys
import time
from datetime import timedelta
from urllib.parse import urlsplit

from attrs import frozen

from patches.scanner.options import platform_name
from patches.scanner.output.exit_codes import CLEAN, INCOMPLETE, INTERRUPTED
from patches.scanner.simulation.fleet import Fleet
from patches.scanner.simulation.simulated_scanner import SimulatedScanner
from patches.scanner.simulation.summary import Summary
from patches.service.daemon import allow_open_files
from patches.setting_parsers import count, count_up_to, one_of, seconds, url
from patches.settings import BadSetting, option
from patches.wording import counted, printable

#: The most scanners of one fleet: more need more than one core and one address.
MOST_SCANNERS = 20_000
#: The files of the process besides a connection for each scanner.
_OTHER_FILES = 32


@frozen(kw_only=True)
class SimulateSettings:
    """The options of ``patches simulate``."""

    server: str = option("http://127.0.0.1:8080", url, "The address of the server itself, http://HOST:PORT.")
    platform: str = option("debian-12", platform_name, "The platform whose list is read.")
    scanners: int = option(
        "100", count_up_to(MOST_SCANNERS), f"How many scanners read at once, {MOST_SCANNERS} at most."
    )
    verify_every: int = option("50", count, "One of this number of scanners verifies every digest.")
    timeout: timedelta = option("10m", seconds, "How long the simulation may take.")
    format: str = option("text", one_of("text", "json"), "The output format: text or json.")


def run_simulate(settings: SimulateSettings) -> int:
    """
    Simulate a fleet, and print what it has seen.

    :return: the exit code: 0 if every scanner has read the whole list, else 3; 130 if it was interrupted, which prints
        what was seen until then.
    :raises BadSetting: if the server cannot be simulated for.
    """
    try:
        address, host = _address(settings.server)
    except OSError as error:
        print(
            f"patches simulate: {settings.server} cannot be reached: {str(error.strerror or error).lower()}",
            file=sys.stderr,
        )
        return INCOMPLETE
    if allow_open_files(settings.scanners + _OTHER_FILES) < settings.scanners + _OTHER_FILES:
        raise BadSetting(f"--scanners {settings.scanners}: this process may not open so many connections (ulimit -n)")
    scanners = [
        SimulatedScanner(host, settings.platform, n % settings.verify_every == 0, time.monotonic())
        for n in range(settings.scanners)
    ]
    fleet, shows = Fleet(address, scanners), sys.stderr.isatty()

    def progress(ended: int) -> None:
        if shows:
            sys.stderr.write(f"\r{ended} of {counted(len(scanners), 'scanner')} have ended")

    interrupted = False
    try:
        fleet.run(settings.timeout.total_seconds(), progress)
    except KeyboardInterrupt:
        interrupted = True
    if shows:
        sys.stderr.write("\r\x1b[K")
    summary = Summary.of(scanners)
    lines = map(printable, summary.lines())
    print(json.dumps(summary.document(), indent=2) if settings.format == "json" else "\n".join(lines))
    if interrupted:
        return INTERRUPTED
    return CLEAN if summary.complete == summary.scanners else INCOMPLETE


def _address(server: str) -> tuple[tuple[socket.AddressFamily, tuple[str, int]], str]:
    """
    Return the address of a server, and the value of the ``Host`` field.

    :raises BadSetting: if it is not reached by plain HTTP.
    :raises OSError: if it is not known, or nothing listens there.
    """
    parts = urlsplit(server)
    if parts.scheme != "http" or parts.path:
        raise BadSetting(f"--server {server}: must be http://HOST:PORT, the address of the server itself")
    host, port = str(parts.hostname), parts.port or 80
    with socket.create_connection((host, port), 10) as probe:
        return (probe.family, probe.getpeername()), parts.netloc
