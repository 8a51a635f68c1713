"""The console command ``patches``: one-shot work, its options and its exit codes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import click

from patches import __version__
from patches.scanner.exit_codes import EXPLAINED
from patches.scanner.options import ALIASES, ONCE_SETTINGS
from patches.settings import CONFIG, BadSetting, Setting, resolve


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


@main.command(epilog=EXPLAINED)
@options_of(ONCE_SETTINGS)
def scan(values: dict[str, Any]) -> None:
    """Scan this host once, and show what was found."""
    from patches.scanner.once import run_once

    sys.exit(run_once(values))


@main.command()
def demo() -> None:
    """Show the whole of it in one process: a server, a scan of this host, and a report. No network is needed."""
    from patches.demo.play import play

    sys.exit(play())
