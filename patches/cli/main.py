"""The console command ``patches``: its commands run once and return an exit code."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

#: Where the commands are, and a line about each: the modules are imported when they are used.
COMMANDS = {
    "catalogue": ("patches.cli.catalogue:catalogue", "Inspect or change the catalogue of a server."),
    "config": ("patches.cli.host_commands:config", "Show which options hold, and from where."),
    "demo": ("patches.cli.trial_commands:demo", "Run all programs once, without a network."),
    "doctor": ("patches.cli.doctor:doctor", "Show what is wrong with scans of this host."),
    "explain": ("patches.cli.host_commands:explain", "Explain why this host is affected, or not."),
    "inventory": ("patches.cli.host_commands:inventory", "Show the packages that a scan reads."),
    "list": ("patches.cli.lists:kept_list", "Update or show the lists kept on this host."),
    "scan": ("patches.cli.host_commands:scan", "Scan this host once and show the findings."),
    "simulate": ("patches.cli.trial_commands:simulate", "Simulate many scanners that load a server."),
}
#: The commands that decide from their options whether they need TLS.
_WITHOUT_TLS = ("scan", "explain", "inventory")
#: The extras that install what a command needs; those of the others are not certain, or it needs none.
EXTRAS = {"catalogue": "server", **dict.fromkeys(("scan", "explain", "list"), "standalone")}


class Commands(click.Group):
    """
    A group of commands that Ctrl-C ends with a separate exit code.

    A command is imported when it is used: a list of them needs nothing of any, and a scan nothing of the server.
    """

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted({*super().list_commands(context), *COMMANDS})

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Return a command; ``None`` if there is no such command."""
        if name not in COMMANDS:
            return super().get_command(context, name)
        if name in _WITHOUT_TLS and not context.resilient_parsing:
            from patches.cli.plain_traffic import withhold_standard_tls

            withhold_standard_tls()
        try:
            module, _, attribute = COMMANDS[name][0].partition(":")
            command: click.Command = getattr(import_module(module), attribute)
        except ModuleNotFoundError:
            if context.resilient_parsing:  # a shell that completes is told nothing
                return None
            raise
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a line about each command."""
        rows = [(name, self._line(context, name)) for name in self.list_commands(context)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def _line(self, context: click.Context, name: str) -> str:
        if name in COMMANDS:
            return COMMANDS[name][1]
        command = self.get_command(context, name)
        return command.get_short_help_str() if command is not None else ""

    def invoke(self, context: click.Context) -> Any:
        """Run a command; exit with the code for an interruption on Ctrl-C."""
        try:
            return super().invoke(context)
        except KeyboardInterrupt:
            from patches.scanner.output.exit_codes import INTERRUPTED

            context.exit(INTERRUPTED)
        except ModuleNotFoundError as error:
            from patches.scanner.output.exit_codes import ERROR
            from patches.service.lifecycle.missing_parts import missing_part

            name = context.invoked_subcommand or ""
            line = missing_part(error, f"patches {name}".strip(), EXTRAS.get(name, "all"))
            if line is None:
                raise
            click.echo(f"Error: {line}", err=True)
            context.exit(ERROR)


def _version(context: click.Context, option: click.Parameter, is_given: bool) -> None:
    """Print the version, with the commit if it is known, and exit."""
    if is_given and not context.resilient_parsing:
        from patches.service.commit import version_text

        click.echo(f"patches, version {version_text()}")
        context.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version.")
def main() -> None:
    """Find vulnerable installed packages; the inventory does not leave the host."""
