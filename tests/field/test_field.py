"""The programs of this folder, in namespaces of their own."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.field.namespaces import run_program


class FieldTests(SynchronousTestCase):
    """Each is skipped where namespaces cannot be made, or a tool is missing."""

    def test_host_changes(self) -> None:
        """A release upgrade and a new name under a daemon that runs are noticed."""
        run_program("tests.field.host_changes")

    def test_networks(self) -> None:
        """A firewall that drops packets costs time only; a scan starts at once when the network returns."""
        run_program("tests.field.networks", "--seconds", "3")
