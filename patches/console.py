"""The console command ``patches``: one-shot work, its options and its exit codes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import click

from patches import __version__
from patches.scanner.exit_codes import EXPLAIN_EXPLAINED, EXPLAINED
from patches.scanner.options import ALIASES, EXPLAIN_SETTINGS, INVENTORY_SETTINGS, ONCE_SETTINGS
from patches.settings import CONFIG, BadSetting, Setting, resolve


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="patches")
def main() -> None:
    """Tell which installed packages are vulnerable, without the inventory leaving the host."""


def options_of(settings: Sequence[Setting]) -> Callable[[Any], Any]:
    """Give a command the options that these settings describe, and their values as its argument ``values``."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        names = {setting.name.replace("-", "_"): setting.name for setting in (*settings, CONFIG)}

        @wraps(command)
        def with_values(**given: Any) -> Any:
            arguments = {name: given.pop(name) for name in list(given) if name not in names and name not in ALIASES}
            texts = {name.replace("_", "-"): text for name, text in given.items()}
            for old, new in ALIASES.items():
                if old in texts:
                    texts[new] = texts.get(new) or texts.pop(old)
            try:
                return command(resolve(settings, texts), **arguments)
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


@main.command(epilog=EXPLAIN_EXPLAINED)
@click.argument("flaw", metavar="CVE")
@click.argument("package", required=False)
@options_of(EXPLAIN_SETTINGS)
def explain(values: dict[str, Any], flaw: str, package: str | None) -> None:
    """Tell why this host is affected by a flaw, or is not; CVE may be an advisory's name."""
    from patches.scanner.questions import run_explain

    sys.exit(run_explain(values, flaw, package))


@main.command()
@options_of(INVENTORY_SETTINGS)
def inventory(values: dict[str, Any]) -> None:
    """Show the packages of this host, as a scan sees them."""
    from patches.scanner.questions import run_inventory

    sys.exit(run_inventory(values))


@main.command()
def demo() -> None:
    """Show the whole of it in one process: a server, a scan of this host, and a report. No network is needed."""
    from patches.demo.play import play

    sys.exit(play())
