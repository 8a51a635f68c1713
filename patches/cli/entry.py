"""The entry of the command ``patches``: Ctrl-C ends it without a traceback also while it imports its modules."""

from __future__ import annotations

from patches.service.lifecycle.signals import end_at_once, interruptible


def main() -> None:
    """Run the command."""
    end_at_once()
    from patches.cli.main import main as commands

    interruptible()
    commands()
