"""The output of ``patches inventory``: the packages of a host as JSON or as a table."""

from __future__ import annotations

from typing import Any

from patches.scanner.host.kernels import Kernels, kernels_of
from patches.scanner.inventory import Inventory, package_document
from patches.scanner.outcome import Target
from patches.service.text_table import TextTable


def inventory_document(target: Target, inventory: Inventory) -> dict[str, Any]:
    """Return an inventory as a JSON object."""
    return {
        "host": target.host,
        "platform": target.platform,
        "system": target.system.name,
        "scheme": inventory.scheme,
        "tracks": sorted(inventory.tracks),
        "kernels": kernels_document(kernels_of(inventory, target.running)),
        "packages": [
            {
                **package_document(package),
                "module": package.module,
                "vendor": package.vendor,
                "repository": package.repository,
                "notCovered": inventory.foreign.get(package),
                "problem": package.problem,
            }
            for package in inventory.packages
        ],
    }


def kernels_document(kernels: Kernels | None) -> dict[str, Any] | None:
    """Return the kernels of a host as a JSON object; ``None`` if no kernel is installed."""
    if kernels is None:
        return None
    return {
        "installed": list(kernels.installed),
        "running": kernels.running,
        "rebootPending": kernels.reboot_pending,
    }


def inventory_table(inventory: Inventory) -> TextTable:
    """Return an inventory as a table, in which no text is truncated."""
    table = TextTable("Package", "Version", "Architecture", "Source", "Source version")
    for package in inventory.packages:
        table.add_texts(package.name, package.version, package.arch, package.source, package.source_version)
    return table
