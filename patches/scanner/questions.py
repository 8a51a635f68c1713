"""``patches explain`` and ``patches inventory``: the questions about one host that are no scan."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape

from patches import one_shot
from patches.scanner.client import ClientSettings, PatchesClient, Refused, StreamError
from patches.scanner.exchange import http_client
from patches.scanner.explained import explanation_text
from patches.scanner.explanation import explain, explanation_document
from patches.scanner.inventory import InventoryError
from patches.scanner.outcome import Target
from patches.scanner.packages import inventory_document, inventory_table
from patches.scanner.scan import inventory_of

_CODES = {False: 0, True: 1, None: 3}
_INCOMPLETE, _UNSUPPORTED, _ERROR = 3, 4, 5


def run_inventory(values: Mapping[str, Any], target: Target) -> int:
    """
    Show the packages of a host as they are seen.

    :return: the exit code.
    """
    try:
        inventory = inventory_of(target)
    except InventoryError as error:
        return _fail(str(error), _ERROR)
    screen = Console()
    if values["format"] == "json":
        _print_json(inventory_document(target, inventory))
    else:
        screen.print(inventory_table(inventory), f"{target.platform}: {len(inventory.packages)} packages")
    return 0


def run_explain(values: Mapping[str, Any], target: Target, flaw: str, package: str | None) -> int:
    """
    Explain what the list says of a flaw, for a host.

    :return: the exit code.
    """
    try:
        inventory = inventory_of(target)
    except InventoryError as error:
        return _fail(str(error), _ERROR)

    async def ask(reactor: Any) -> int:
        settings = ClientSettings(patience=values["patience"])
        client = PatchesClient(http_client(reactor), values["patches-server"], reactor, settings)
        try:
            explanation = await explain(client.stream(target.platform), inventory, flaw, package)
        except StreamError as error:
            unknown = isinstance(error, Refused) and error.code == "unknown-platform"
            return _fail(str(error), _UNSUPPORTED if unknown else _INCOMPLETE)
        if values["format"] == "json":
            _print_json(explanation_document(explanation))
        else:
            Console().print(explanation_text(target, explanation), soft_wrap=True)
        return _CODES[explanation.affected]

    return one_shot.run(ask)


def _print_json(document: dict[str, Any]) -> None:
    print(json.dumps(document, indent=2))


def _fail(problem: str, code: int) -> int:
    Console(stderr=True).print(f"Error: {escape(problem)}", soft_wrap=True)
    return code
