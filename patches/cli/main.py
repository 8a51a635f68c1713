"""The console command ``patches``: commands that run once and return an exit code."""

from __future__ import annotations

import sys
from typing import Any

import click

from patches.cli.options import HELP, given_of, options_of, tolerant_options_of
from patches.scanner.doctor.configuration import ConfigurationFacts
from patches.scanner.doctor.doctor_options import DOCTOR_EXPLAINED, DoctorSettings
from patches.scanner.options import FAMILY, ExplainSettings, InventorySettings, ScanCommandSettings
from patches.scanner.output.exit_codes import EXPLAIN_EXPLAINED, EXPLAINED, INTERRUPTED, INVENTORY_EXPLAINED
from patches.scanner.simulation.simulate_command import SimulateSettings, run_simulate
from patches.settings import Given


class Commands(click.Group):
    """
    A group of commands that Ctrl-C ends with a separate exit code.

    The commands of the catalogue are imported when they are used: a scan needs nothing of the server.
    """

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted([*super().list_commands(context), "catalogue", "list"])

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Return a command; ``None`` if there is no such command."""
        if name == "catalogue":
            from patches.cli.catalogue import catalogue

            return catalogue
        if name == "list":
            from patches.cli.lists import kept_list

            return kept_list
        return super().get_command(context, name)

    def invoke(self, context: click.Context) -> Any:
        """Run a command; exit with the code for an interruption on Ctrl-C."""
        try:
            return super().invoke(context)
        except KeyboardInterrupt:
            context.exit(INTERRUPTED)


def _version(context: click.Context, option: click.Parameter, is_given: bool) -> None:
    """Print the version, with the commit if it is known, and exit."""
    if is_given and not context.resilient_parsing:
        from patches.service.commit import version_text

        click.echo(f"patches, version {version_text()}")
        context.exit()


@click.group(cls=Commands, context_settings=HELP)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version.")
def main() -> None:
    """Find vulnerable installed packages; the inventory does not leave the host."""


@main.command(epilog=EXPLAINED, context_settings=HELP, short_help="Scan this host once and show the findings.")
@options_of(ScanCommandSettings, FAMILY)
def scan(settings: ScanCommandSettings) -> None:
    """Scan this host once and show the findings."""
    from patches.scanner.scan_command import run_scan

    sys.exit(run_scan(settings))


@main.command(epilog=EXPLAIN_EXPLAINED, context_settings=HELP, short_help="Explain why this host is affected, or not.")
@click.argument("vulnerability_id", metavar="CVE")
@click.argument("package", required=False)
@options_of(ExplainSettings, FAMILY)
def explain(settings: ExplainSettings, vulnerability_id: str, package: str | None) -> None:
    """Explain why a vulnerability does or does not affect this host; CVE may be the name of an advisory."""
    from patches.scanner.query_commands import run_explain

    sys.exit(run_explain(settings, vulnerability_id, package))


@main.command(epilog=INVENTORY_EXPLAINED, context_settings=HELP, short_help="Show the packages that a scan reads.")
@options_of(InventorySettings, FAMILY)
def inventory(settings: InventorySettings) -> None:
    """Show the packages of this host as a scan reads them."""
    from patches.scanner.query_commands import run_inventory

    sys.exit(run_inventory(settings))


@main.command(context_settings=HELP, short_help="Show which options hold, and from where.")
@given_of(FAMILY)
def config(given: dict[str, str | None], found: dict[str, Given]) -> None:
    """
    Show which options of patches-scanner and of the commands hold, and where each is from.

    Options are read from /etc/patches/scanner.toml, ~/.config/patches/scanner.toml, variables such as PATCHES_MAX_AGE,
    and the command line; the last one counts. A file that --config names is read in place of the first two. Exit codes:
    0 all can be used, 2 one cannot.
    """
    from patches.scanner.output.options_text import options_text

    for line in options_text(FAMILY.settings, given, found):
        click.echo(line)


@main.command(epilog=DOCTOR_EXPLAINED, context_settings=HELP, short_help="Show what is wrong with scans of this host.")
@tolerant_options_of(DoctorSettings, FAMILY)
def doctor(settings: DoctorSettings, configuration: ConfigurationFacts) -> None:
    """Check what scans of this host need, from options to reports, and print one line for each check."""
    from patches.scanner.doctor.doctor_command import run_doctor

    sys.exit(run_doctor(settings, configuration))


@main.command(context_settings=HELP, short_help="Simulate many scanners that load a server.")
@options_of(SimulateSettings)
def simulate(settings: SimulateSettings) -> None:
    """
    Simulate many scanners that read a list at the same time, and show how long it takes.

    Exit codes: 0 every scanner has read the whole list, 2 wrong usage, 3 some have not or the server cannot be
    reached, 130 interrupted.
    """
    sys.exit(run_simulate(settings))


@main.command(context_settings=HELP, short_help="Run all programs once, without a network.")
def demo() -> None:
    """Run a server, a scan of this host and a reporter in one process, without a network."""
    from patches.demo.demonstration import run_demo

    sys.exit(run_demo())
