"""The console command ``patches catalogue``: what an operator asks of a server's catalogue, and does to it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from patches.cli.options import options_of
from patches.server.admin.options import (
    EXPLAINED,
    EXPORT_SETTINGS,
    IMPORT_SETTINGS,
    PLACE_SETTINGS,
    PRUNE_SETTINGS,
    SHOW_SETTINGS,
    SHOWN_SETTINGS,
)


@click.group(epilog=EXPLAINED)
def catalogue() -> None:
    """Look into the catalogue of a patches-server, or change it; the server may be running."""


@catalogue.command("list")
@options_of(SHOWN_SETTINGS)
def list_snapshots(values: dict[str, Any]) -> None:
    """Show the snapshots of each platform."""
    from patches.server.admin.commands import run_list

    sys.exit(run_list(values))


@catalogue.command()
@click.argument("name", metavar="CVE")
@options_of(SHOW_SETTINGS)
def show(values: dict[str, Any], name: str) -> None:
    """Show every record of a flaw in the current snapshots; CVE may be an advisory's name."""
    from patches.server.admin.commands import run_show

    sys.exit(run_show(values, name))


@catalogue.command()
@click.argument("old", metavar="REVISION")
@click.argument("new", metavar="REVISION")
@options_of(SHOWN_SETTINGS)
def diff(values: dict[str, Any], old: str, new: str) -> None:
    """Show which records differ in two snapshots, the older one first; the start of a revision will do."""
    from patches.server.admin.commands import run_diff

    sys.exit(run_diff(values, old, new))


@catalogue.command()
@options_of(SHOWN_SETTINGS)
def check(values: dict[str, Any]) -> None:
    """Read every chunk of every snapshot again, and tell what is damaged."""
    from patches.server.admin.commands import run_check

    sys.exit(run_check(values))


@catalogue.command()
@click.argument("platform")
@options_of(PLACE_SETTINGS)
def publish(values: dict[str, Any], platform: str) -> None:
    """Make the snapshot of a platform current that was held back; a running server takes it up within 10 s."""
    from patches.server.admin.commands import run_publish

    sys.exit(run_publish(values, platform))


@catalogue.command()
@options_of(PRUNE_SETTINGS)
def prune(values: dict[str, Any]) -> None:
    """Delete snapshots that were replaced; a scan that still reads one of them has to begin anew."""
    from patches.server.admin.commands import run_prune

    sys.exit(run_prune(values))


@catalogue.command("export")
@click.argument("file", type=click.Path(path_type=Path))
@options_of(EXPORT_SETTINGS)
def export_bundle(values: dict[str, Any], file: Path) -> None:
    """Write the current snapshots into a bundle: one file, to be carried to a server without a network."""
    from patches.server.admin.bundle_commands import run_export

    sys.exit(run_export(values, file))


@catalogue.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@options_of(IMPORT_SETTINGS)
def import_bundle(values: dict[str, Any], file: Path) -> None:
    """Make the snapshots of a bundle current, all or none; a running server takes them up within 10 s."""
    from patches.server.admin.bundle_commands import run_import

    sys.exit(run_import(values, file))


@catalogue.command()
@click.argument("file", type=click.Path(path_type=Path))
def keygen(file: Path) -> None:
    """Make a pair of Ed25519 keys: FILE, which signs, and FILE.pub, which verifies."""
    from patches.server.admin.bundle_commands import run_keygen

    sys.exit(run_keygen(file))
