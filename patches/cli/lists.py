"""The console command ``patches list``, about the lists that are kept on this host."""

from __future__ import annotations

import sys

import click

from patches.cli.options import HELP, options_of
from patches.scanner.lists.list_options import (
    SHOW_EXPLAINED,
    STATUS_EXPLAINED,
    UPDATE_EXPLAINED,
    ListShowSettings,
    ListStatusSettings,
    ListUpdateSettings,
)
from patches.scanner.options import FAMILY


@click.group("list", context_settings=HELP, short_help="Update or show the lists kept on this host.")
def kept_list() -> None:
    """Update or show the lists that are kept on this host, without a scan."""


@kept_list.command(epilog=UPDATE_EXPLAINED, context_settings=HELP, short_help="Bring the kept list up to date.")
@options_of(ListUpdateSettings, FAMILY)
def update(settings: ListUpdateSettings) -> None:
    """Bring the kept list of a platform up to date: from a server, or else from the best public feed."""
    from patches.scanner.lists.commands import run_update

    sys.exit(run_update(settings))


@kept_list.command(epilog=STATUS_EXPLAINED, context_settings=HELP, short_help="Show which lists are kept.")
@options_of(ListStatusSettings, FAMILY)
def status(settings: ListStatusSettings) -> None:
    """Show which lists are kept, where each is from, how old it is, and whether it is stale."""
    from patches.scanner.lists.commands import run_status

    sys.exit(run_status(settings))


@kept_list.command(epilog=SHOW_EXPLAINED, context_settings=HELP, short_help="Print records of the kept list.")
@click.argument("names", metavar="[CVE|PACKAGE]...", nargs=-1)
@options_of(ListShowSettings, FAMILY)
def show(settings: ListShowSettings, names: tuple[str, ...]) -> None:
    """Print the records of the kept list as NDJSON: all, or those of some ids and packages."""
    from patches.scanner.lists.commands import run_show

    sys.exit(run_show(settings, names))
