"""The double as a program: it prints its port, serves until it is stopped, and prints the number of requests."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import react
from twisted.python.usage import Options, UsageError
from twisted.web.server import Site

from patches.testing.clair import ClairDouble

RPM_FAMILIES = ("amzn", "centos", "oracle")


class DoubleOptions(Options):
    """The options of the program."""

    optParameters = [
        ["port", "p", 0, "TCP port; 0: any free port", int],
        ["interface", "i", "127.0.0.1", "Address to listen on"],
        ["delay", "d", 0.0, "Seconds that each response takes", float],
    ]

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[tuple[str, str]] = []

    def opt_load(self, value: str) -> None:
        """Load a namespace: NAMESPACE=FILE, a file of JSON lines, compressed with gzip."""
        namespace, equals, path = value.partition("=")
        if not (namespace and equals and path):
            raise UsageError(f"--load takes NAMESPACE=FILE, not {value!r}")
        self.loads.append((namespace, path))


def read_records(path: str) -> Iterator[dict[str, Any]]:
    """Yield the objects in a compressed file of JSON lines, one at a time."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


async def serve(reactor: Any, options: DoubleOptions) -> None:
    """Load the files, listen, and print the port."""
    double = ClairDouble(reactor)
    double.delay = options["delay"]
    for namespace, path in options.loads:
        version_format = "rpm" if namespace.startswith(RPM_FAMILIES) else "dpkg"
        double.load(namespace, read_records(path), version_format)
    site = Site(double.resource(), timeout=None)
    port = reactor.listenTCP(options["port"], site, interface=options["interface"])
    sys.stdout.write(f"{port.getHost().port}\n")
    sys.stdout.flush()
    reactor.addSystemEventTrigger("before", "shutdown", lambda: print(json.dumps(double.requests), flush=True))
    await Deferred()


def main(reactor: Any, *arguments: str) -> Deferred[None]:
    """Parse the command line and serve."""
    options = DoubleOptions()
    try:
        options.parseOptions(list(arguments))
    except UsageError as refusal:
        raise SystemExit(f"{refusal}\n{options}") from refusal
    return Deferred.fromCoroutine(serve(reactor, options))


if __name__ == "__main__":
    react(main, sys.argv[1:])
