"""Tests for :mod:`patches.scanner.output.inventory`."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.host.kernels import Kernels
from patches.scanner.inventory import Inventory
from patches.scanner.outcome import Target
from patches.scanner.output.inventory import inventory_document, inventory_table, kernels_document
from tests.scanner.sample_outcomes import PACKAGES

INVENTORY = Inventory("dpkg", PACKAGES, frozenset({"fips", "esm"}))


class InventoryTests(SynchronousTestCase):
    """The packages of a host."""

    def test_document(self) -> None:
        """Every package is included with its module and vendor; tracks are sorted."""
        document = inventory_document(Target("web-1", "debian-12", Path("/")), INVENTORY)
        self.assertEqual((document["host"], document["platform"], document["scheme"]), ("web-1", "debian-12", "dpkg"))
        self.assertEqual(document["tracks"], ["esm", "fips"])
        self.assertEqual([each["name"] for each in document["packages"]], [each.name for each in PACKAGES])
        self.assertEqual([each["vendor"] for each in document["packages"]], [None] * 4 + ["Docker"])

    def test_kernels(self) -> None:
        """Kernels are included if there are any, with whether a reboot is pending."""
        self.assertIsNone(kernels_document(None))
        document = kernels_document(Kernels(("6.1.0-18-amd64", "6.1.0-20-amd64"), "6.1.0-18-amd64"))
        expected = {
            "installed": ["6.1.0-18-amd64", "6.1.0-20-amd64"],
            "running": "6.1.0-18-amd64",
            "rebootPending": True,
        }
        self.assertEqual(document, expected)

    def test_table(self) -> None:
        """No text is truncated in a narrow terminal, and a name in brackets is not markup."""
        text = "\n".join(line for line, _ in inventory_table(INVENTORY).lines(40))
        for package in PACKAGES:
            for cell in (package.name, package.version, package.source):
                self.assertIn(cell, text)
