"""The commands with which Patches is tried: a simulated fleet, and all programs in one process."""

from __future__ import annotations

import sys

import click

from patches.cli.options import HELP, options_of
from patches.scanner.simulation.simulate_command import SimulateSettings, run_simulate


@click.command(context_settings=HELP, short_help="Simulate many scanners that load a server.")
@options_of(SimulateSettings)
def simulate(settings: SimulateSettings) -> None:
    """
    Simulate many scanners that read a list at the same time, and show how long it takes.

    Exit codes: 0 every scanner has read the whole list, 2 wrong usage, 3 some have not or the server cannot be
    reached, 130 interrupted.
    """
    sys.exit(run_simulate(settings))


@click.command(context_settings=HELP, short_help="Run all programs once, without a network.")
def demo() -> None:
    """Run a server, a scan of this host and a reporter in one process, without a network."""
    from patches.demo.demonstration import run_demo

    sys.exit(run_demo())
