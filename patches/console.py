"""The console command ``patches``: one-shot work, its options and its exit codes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import click

from patches import __version__
from patches.scanner.options import ALIASES, SCAN_SETTINGS, target_of
from patches.scanner.os_release import UnknownPlatform
from patches.settings import CONFIG, BadSetting, Setting, resolve

EXIT_CODES = """
Exit codes: 0 the scan is complete; 2 wrong usage; 3 the scan is incomplete; 4 the platform is unknown, here or to the
server; 5 the packages of the host could not be read, or another error.
"""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="patches")
def main() -> None:
    """Tell which installed packages are vulnerable, without the inventory leaving the host."""


def options_of(settings: Sequence[Setting]) -> Callable[[Any], Any]:
    """Give a command the options that these settings describe, and their values as its argument ``values``."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def with_values(**given: Any) -> Any:
            texts = {name.replace("_", "-"): text for name, text in given.items()}
            for old, new in ALIASES.items():
                texts[new] = texts.get(new) or texts.pop(old, None)
            try:
                return command(resolve(settings, texts))
            except BadSetting as error:
                raise click.UsageError(str(error)) from error

        for setting in reversed((*settings, CONFIG)):
            old = [f"--{alias}" for alias, name in ALIASES.items() if name == setting.name]
            kind: dict[str, Any] = {"metavar": "VALUE"}
            if setting.is_flag:
                kind = {"is_flag": True, "flag_value": "true", "default": None, "type": str}
            click.option(f"--{setting.name}", *old, help=setting.describe(), **kind)(with_values)
        return with_values

    return decorate


@main.command(epilog=EXIT_CODES)
@options_of(SCAN_SETTINGS)
def scan(values: dict[str, Any]) -> None:
    """Scan this host once, and show what was found."""
    from patches.scanner.once import run_once

    try:
        target = target_of(values)
    except UnknownPlatform as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(4)
    sys.exit(run_once(values, target))


@main.command()
def demo() -> None:
    """Show the whole of it in one process: a server, a scan of this host, and a report. No network is needed."""
    from patches.demo.play import play

    sys.exit(play())
