"""The console command ``patches catalogue``, with which an operator inspects and changes a server's catalogue."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from patches.cli.options import HELP, options_of
from patches.server.admin.options import (
    EXPLAINED,
    EXPORT_SETTINGS,
    IMPORT_SETTINGS,
    PLACE_SETTINGS,
    PRUNE_SETTINGS,
    SHOW_SETTINGS,
    SHOWN_SETTINGS,
)


@click.group(epilog=EXPLAINED, context_settings=HELP, short_help="Inspect or change the catalogue of a server.")
def catalogue() -> None:
    """Inspect or change the catalogue of a patches-server, which may be running."""


@catalogue.command("list", short_help="List the snapshots of each platform.")
@options_of(SHOWN_SETTINGS)
def list_snapshots(values: dict[str, Any]) -> None:
    """List the snapshots of each platform."""
    from patches.server.admin.commands import run_list

    sys.exit(run_list(values))


@catalogue.command(short_help="Show every record of a vulnerability.")
@click.argument("name", metavar="CVE")
@options_of(SHOW_SETTINGS)
def show(values: dict[str, Any], name: str) -> None:
    """Show every record of a vulnerability in the current snapshots; CVE may be the name of an advisory."""
    from patches.server.admin.commands import run_show

    sys.exit(run_show(values, name))


@catalogue.command(short_help="List the differences of two snapshots.")
@click.argument("old", metavar="REVISION")
@click.argument("new", metavar="REVISION")
@options_of(SHOWN_SETTINGS)
def diff(values: dict[str, Any], old: str, new: str) -> None:
    """Compare two snapshots, the older one first, and list their differences; a unique prefix of REVISION is enough."""
    from patches.server.admin.commands import run_diff

    sys.exit(run_diff(values, old, new))


@catalogue.command(short_help="Read every chunk, and list the damaged ones.")
@options_of(SHOWN_SETTINGS)
def check(values: dict[str, Any]) -> None:
    """Read every chunk of every snapshot, and list the damaged ones."""
    from patches.server.admin.commands import run_check

    sys.exit(run_check(values))


@catalogue.command(short_help="Publish a snapshot that was held back.")
@click.argument("platform")
@options_of(PLACE_SETTINGS)
def publish(values: dict[str, Any], platform: str) -> None:
    """Publish the snapshot of a platform that was held back; a running server loads it within 10 s."""
    from patches.server.admin.commands import run_publish

    sys.exit(run_publish(values, platform))


@catalogue.command(short_help="Delete replaced snapshots.")
@options_of(PRUNE_SETTINGS)
def prune(values: dict[str, Any]) -> None:
    """Delete replaced snapshots; a scan that still reads one of them has to start again."""
    from patches.server.admin.commands import run_prune

    sys.exit(run_prune(values))


@catalogue.command("export", short_help="Write the current snapshots to a bundle.")
@click.argument("file", type=click.Path(path_type=Path))
@options_of(EXPORT_SETTINGS)
def export_bundle(values: dict[str, Any], file: Path) -> None:
    """Write the current snapshots to a bundle: one file for a server without a network."""
    from patches.server.admin.bundle_commands import run_export

    sys.exit(run_export(values, file))


@catalogue.command("import", short_help="Publish the snapshots of a bundle.")
@click.argument("file", type=click.Path(path_type=Path))
@options_of(IMPORT_SETTINGS)
def import_bundle(values: dict[str, Any], file: Path) -> None:
    """Publish the snapshots of a bundle, either all or none of them; a running server loads them within 10 s."""
    from patches.server.admin.bundle_commands import run_import

    sys.exit(run_import(values, file))


@catalogue.command(short_help="Create a pair of Ed25519 keys.")
@click.argument("file", type=click.Path(path_type=Path))
def keygen(file: Path) -> None:
    """Create a pair of Ed25519 keys: FILE to sign, and FILE.pub to verify."""
    from patches.server.admin.bundle_commands import run_keygen

    sys.exit(run_keygen(file))
