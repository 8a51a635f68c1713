"""
The entry of the command ``patches``, around all of its commands.

Ctrl-C ends it without a traceback also while it imports its modules; an output that cannot be written ends it in one
line.
"""

from __future__ import annotations

from patches.service.lifecycle.signals import end_at_once, interruptible


def main() -> None:
    """Run the command."""
    end_at_once()
    from patches.cli.main import main as commands
    from patches.cli.standard_output import checked_output

    interruptible()
    with checked_output():
        commands()
