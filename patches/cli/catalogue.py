"""The console command ``patches catalogue``, with which an operator inspects and changes a server's catalogue."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from patches.cli.options import HELP, options_of
from patches.server.admin.options import (
    EXPLAINED,
    ExportSettings,
    ImportSettings,
    ListSettings,
    PruneSettings,
    ShowSettings,
)
from patches.server.options import CatalogueSettings


@click.group(epilog=EXPLAINED, context_settings=HELP, short_help="Inspect or change the catalogue of a server.")
def catalogue() -> None:
    """Inspect or change the catalogue of a patches-server, which may be running."""


@catalogue.command("list", short_help="List the snapshots of each platform.")
@options_of(ListSettings)
def list_snapshots(settings: ListSettings) -> None:
    """List the snapshots of each platform."""
    from patches.server.admin.commands import run_list

    sys.exit(run_list(settings))


@catalogue.command(short_help="Show every record of a vulnerability.")
@click.argument("name", metavar="CVE")
@options_of(ShowSettings)
def show(settings: ShowSettings, name: str) -> None:
    """Show every record of a vulnerability in the current snapshots; CVE may be the name of an advisory."""
    from patches.server.admin.commands import run_show

    sys.exit(run_show(settings, name))


@catalogue.command(short_help="List the differences of two snapshots.")
@click.argument("old", metavar="REVISION")
@click.argument("new", metavar="REVISION")
@options_of(ListSettings)
def diff(settings: ListSettings, old: str, new: str) -> None:
    """Compare two snapshots, the older one first, and list their differences; a unique prefix of REVISION is enough."""
    from patches.server.admin.commands import run_diff

    sys.exit(run_diff(settings, old, new))


@catalogue.command(short_help="Read every chunk, and list the damaged ones.")
@options_of(ListSettings)
def check(settings: ListSettings) -> None:
    """Read every chunk of every snapshot, and list the damaged ones."""
    from patches.server.admin.commands import run_check

    sys.exit(run_check(settings))


@catalogue.command(short_help="Publish a snapshot that was held back.")
@click.argument("platform")
@options_of(CatalogueSettings)
def publish(settings: CatalogueSettings, platform: str) -> None:
    """Publish the snapshot of a platform that was held back; a running server loads it within 10 s."""
    from patches.server.admin.commands import run_publish

    sys.exit(run_publish(settings, platform))


@catalogue.command(short_help="Delete replaced snapshots.")
@options_of(PruneSettings)
def prune(settings: PruneSettings) -> None:
    """Delete replaced snapshots; a scan that still reads one of them has to start again."""
    from patches.server.admin.commands import run_prune

    sys.exit(run_prune(settings))


@catalogue.command("export", short_help="Write the current snapshots to a bundle.")
@click.argument("file", type=click.Path(path_type=Path))
@options_of(ExportSettings)
def export_bundle(settings: ExportSettings, file: Path) -> None:
    """Write the current snapshots to a bundle: one file for a server without a network."""
    from patches.server.admin.bundle_commands import run_export

    sys.exit(run_export(settings, file))


@catalogue.command("import", short_help="Publish the snapshots of a bundle.")
@click.argument("file", type=click.Path(path_type=Path))
@options_of(ImportSettings)
def import_bundle(settings: ImportSettings, file: Path) -> None:
    """Publish the snapshots of a bundle, either all or none of them; a running server loads them within 10 s."""
    from patches.server.admin.bundle_commands import run_import

    sys.exit(run_import(settings, file))


@catalogue.command(short_help="Create a pair of Ed25519 keys.")
@click.argument("file", type=click.Path(path_type=Path))
def keygen(file: Path) -> None:
    """Create a pair of Ed25519 keys: FILE to sign, and FILE.pub to verify."""
    from patches.server.admin.bundle_commands import run_keygen

    sys.exit(run_keygen(file))
