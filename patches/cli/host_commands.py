"""The commands of one host, which run once and return an exit code; each imports what it needs when it runs."""

from __future__ import annotations

import sys

import click

from patches.cli.options import HELP, given_of, options_of
from patches.cli.plain_traffic import is_plain, settle_tls
from patches.scanner.options import FAMILY, ExplainSettings, InventorySettings, ScanCommandSettings
from patches.scanner.output.exit_codes import EXPLAIN_EXPLAINED, EXPLAINED, INVENTORY_EXPLAINED
from patches.settings import Given


@click.command(epilog=EXPLAINED, context_settings=HELP, short_help="Scan this host once and show the findings.")
@options_of(ScanCommandSettings, FAMILY)
def scan(settings: ScanCommandSettings) -> None:
    """Scan this host once and show the findings."""
    settle_tls(not is_plain(settings.access, settings.standalone, settings.reporter))
    from patches.scanner.scan_command import run_scan

    sys.exit(run_scan(settings))


@click.command(epilog=EXPLAIN_EXPLAINED, context_settings=HELP, short_help="Explain why this host is affected, or not.")
@click.argument("vulnerability_id", metavar="CVE")
@click.argument("package", required=False)
@options_of(ExplainSettings, FAMILY)
def explain(settings: ExplainSettings, vulnerability_id: str, package: str | None) -> None:
    """Explain why a vulnerability does or does not affect this host; CVE may be the name of an advisory."""
    settle_tls(not is_plain(settings.access, settings.standalone))
    from patches.scanner.query_commands import run_explain

    sys.exit(run_explain(settings, vulnerability_id, package))


@click.command(epilog=INVENTORY_EXPLAINED, context_settings=HELP, short_help="Show the packages that a scan reads.")
@options_of(InventorySettings, FAMILY)
def inventory(settings: InventorySettings) -> None:
    """Show the packages of this host as a scan reads them."""
    settle_tls(False)  # it sends no request
    from patches.scanner.query_commands import run_inventory

    sys.exit(run_inventory(settings))


@click.command(context_settings=HELP, short_help="Show which options hold, and from where.")
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
