"""The commands ``patches explain`` and ``patches inventory``, which answer questions about one host without a scan."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from twisted.internet.defer import Deferred, TimeoutError

from patches.scanner.client.http_client import http_client
from patches.scanner.client.verified_stream import NotCovered, Refused, StreamError
from patches.scanner.host.distributions import UnknownPlatform
from patches.scanner.inventory import Inventory, InventoryError
from patches.scanner.list_origin import ListOrigin
from patches.scanner.matching.explanation import explain
from patches.scanner.options import ExplainSettings, HostSettings, InventorySettings
from patches.scanner.outcome import Target
from patches.scanner.output.exit_codes import CLEAN, ERROR, FINDINGS, INCOMPLETE, UNSUPPORTED
from patches.scanner.output.explanation import explanation_document, explanation_parts
from patches.scanner.output.inventory import inventory_document, inventory_table
from patches.scanner.output.screen import Screen
from patches.scanner.scan import read_host_inventory
from patches.scanner.scan_inputs import routes_of, target_of, trust_of
from patches.service import one_shot
from patches.service.terminal import Terminal, plain, terminal
from patches.service.text_table import TextTable
from patches.wording import counted

_CODES = {False: CLEAN, True: FINDINGS, None: INCOMPLETE}


def run_inventory(settings: InventorySettings) -> int:
    """
    Print the packages of a host as a scan would read them.

    :return: the exit code.
    """
    try:
        target, inventory = _host(settings.host)
    except (UnknownPlatform, InventoryError) as error:
        return _fail(error)
    screen = terminal()
    if settings.format == "json":
        _print_json(inventory_document(target, inventory))
    else:
        packages = counted(len(inventory.packages), "package")
        screen.print_table(inventory_table(inventory))
        screen.print(plain(f"{target.platform}: {packages}"))
    return 0


def run_explain(settings: ExplainSettings, vulnerability_id: str, package: str | None) -> int:
    """
    Print what the list says about a vulnerability, for a host.

    :param vulnerability_id: a CVE, or any other name of a record.
    :param package: the name of a package or of a source package; ``None`` for all packages.
    :return: the exit code.
    :raises BadSetting: if a file that an option names cannot be used.
    """
    trust, routes = trust_of(settings.access), routes_of(settings.access)
    try:
        target, inventory = _host(settings.host)
    except (UnknownPlatform, InventoryError) as error:
        return _fail(error)

    async def ask(reactor: Any) -> int:
        http, screen = http_client(reactor, routes), Screen()
        origin = ListOrigin(settings.access, settings.standalone, trust, http, screen, reactor, settings.cache)
        try:
            stream = origin.stream(await origin.find(target.platform), target.platform)
        finally:
            origin.close()
        explaining = Deferred.fromCoroutine(explain(stream, inventory, vulnerability_id, package))
        explaining.addTimeout(settings.access.timeout.total_seconds(), reactor)
        try:
            explanation = await explaining
        except StreamError as error:
            return _fail(error)
        except TimeoutError:
            seconds = settings.access.timeout.total_seconds()
            return _fail(StreamError(f"the list was not received within {seconds:g} s"))
        if settings.format == "json":
            _print_json(explanation_document(explanation))
        else:
            _print(terminal(), explanation_parts(target, explanation))
        return _CODES[explanation.affected]

    return one_shot.run(ask)


def _host(settings: HostSettings) -> tuple[Target, Inventory]:
    target = target_of(settings)
    return target, read_host_inventory(target)


def _print_json(document: dict[str, Any]) -> None:
    print(json.dumps(document, indent=2))


def _fail(error: Exception) -> int:
    """Print an error in one line. Return its exit code."""
    terminal(stderr=True).print(f"Error: {plain(str(error))}", soft_wrap=True)
    unknown = isinstance(error, NotCovered) or (isinstance(error, Refused) and error.code == "unknown-platform")
    if unknown or isinstance(error, UnknownPlatform):
        return UNSUPPORTED
    return ERROR if isinstance(error, InventoryError) else INCOMPLETE


def _print(screen: Terminal, parts: Iterable[str | TextTable]) -> None:
    for part in parts:
        if isinstance(part, str):
            screen.print(part, soft_wrap=True)
        else:
            screen.print_table(part)
