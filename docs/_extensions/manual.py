"""
The sources of the manual pages: a page for each command of ``patches``, and for each daemon, from what ``--help`` has.

python docs/_extensions/manual.py FOLDER writes them as reStructuredText, for Sphinx's builder of manual pages.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from textwrap import indent

import click

from patches.cli.main import main
from patches.reporter.service import Options as ReporterOptions
from patches.scanner.service import Options as ScannerOptions
from patches.server.options import Options as ServerOptions
from patches.service.daemon import DaemonOptions
from patches.settings import CONFIG, settings_of

#: Sections of the manual: commands of users, and those of administrators; man-pages(7).
COMMANDS, DAEMONS = 1, 8
_SCANNER_FILES = (
    ("/etc/patches/scanner.toml, ~/.config/patches/scanner.toml", "Options; the second one takes precedence."),
    ("/var/cache/patches, ~/.cache/patches", "Lists that were read without a server."),
)
#: The files of each daemon.
_DAEMONS: tuple[tuple[type[DaemonOptions], tuple[tuple[str, str], ...]], ...] = (
    (ServerOptions, (("/etc/patches/patches-server.toml", "Options, with --config."),)),
    (ScannerOptions, _SCANNER_FILES[:1]),
    (ReporterOptions, (("/etc/patches/patches-reporter.toml", "Options, with --config."),)),
)


def manual_pages() -> dict[str, tuple[int, str, str]]:
    """Return the pages by name: the section of the manual, a description in a line, and the text."""
    context = _context(main, "patches")
    names = main.list_commands(context)
    pages = {"patches": (COMMANDS, _short(main), _command(context, ()))}
    for name in names:
        below = _context(_of(main, context, name), name, context)
        pages[f"patches-{name}"] = COMMANDS, _short(below.command), _command(below, ("patches(1)",))
    for options, files in _DAEMONS:
        pages[options.program] = DAEMONS, _first(options.longdesc), _daemon(options, files)
    return pages


def sphinx_pages() -> list[tuple[str, str, str, list[str], int]]:
    """Return the pages as Sphinx's ``man_pages``."""
    return [(name, name, said.rstrip("."), [], section) for name, (section, said, _) in manual_pages().items()]


def _command(context: click.Context, also: Iterable[str]) -> str:
    """Return the text of a command's page; the commands of a group are sections of it."""
    command = context.command
    parts = [_section("Synopsis", _usage(context))]
    parts.append(_section("Description", _plain(command.help)))
    parts.append(_section("Options", _definitions(_options(context))))
    if isinstance(command, click.Group):
        parts += [_subcommand(context, name) for name in command.list_commands(context)]
    if command.epilog:
        parts.append(_section("Exit status", _plain(command.epilog).removeprefix("Exit codes: ")))
    if command.name in ("scan", "explain"):
        parts.append(_section("Files", _definitions(_SCANNER_FILES)))
    return "".join((*parts, _section("See also", ", ".join((*also, "patches-server(8)", "patches-scanner(8)")))))


def _subcommand(context: click.Context, name: str) -> str:
    command = _of(context.command, context, name)
    below = _context(command, name, context)
    return _section(below.command_path, f"{_usage(below)}\n\n{_plain(command.help)}\n\n{_definitions(_options(below))}")


def _usage(context: click.Context) -> str:
    return f"**{context.command_path}** {_plain(' '.join(context.command.collect_usage_pieces(context)))}"


def _daemon(options: type[DaemonOptions], files: Iterable[tuple[str, str]]) -> str:
    program = options.program
    settings = [setting for setting in (*settings_of(options.declared), CONFIG) if not setting.is_table]
    told = ((f"--{each.name}{'' if each.is_flag else ' VALUE'}", each.describe()) for each in settings)
    codes = "0 it was ended by SIGTERM or SIGINT; 1 an option or a port cannot be used, with one line that says why."
    return "".join(
        (
            _section("Synopsis", f"**twistd** --nodaemon --pidfile= **{program}** [OPTIONS]"),
            _section("Description", _plain(options.longdesc)),
            _section("Options", _definitions(told)),
            _section("Signals", "SIGHUP: the options that say so are read again."),
            _section("Exit status", codes),
            _section("Files", _definitions(files)),
            _section("See also", "patches(1), twistd(1)"),
        )
    )


def _options(context: click.Context) -> Iterator[tuple[str, str]]:
    for parameter in context.command.get_params(context):
        if isinstance(parameter, click.Option) and not parameter.hidden:
            value = "" if parameter.is_flag else f" {parameter.metavar or 'VALUE'}"
            yield ", ".join(parameter.opts) + value, parameter.help or ""


def _context(command: click.Command, name: str, parent: click.Context | None = None) -> click.Context:
    """Return the context of a command; with its settings, as click keeps the names of its help option."""
    return click.Context(command, parent=parent, info_name=name, **command.context_settings)


def _of(group: click.Command, context: click.Context, name: str) -> click.Command:
    command = group.get_command(context, name) if isinstance(group, click.Group) else None
    if command is None:
        raise LookupError(name)
    return command


def _short(command: click.Command) -> str:
    return _first(command.short_help or command.help)


def _first(text: str | None) -> str:
    return (text or "").strip().splitlines()[0]


def _plain(text: str | None) -> str:
    """Return a text in which reStructuredText sees no markup; its paragraphs stay."""
    paragraphs = (" ".join(part.split()) for part in (text or "").split("\n\n"))
    return "\n\n".join(_escaped(part) for part in paragraphs if part)


def _escaped(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "\\*`_|<:" else letter for letter in text)


def _definitions(rows: Iterable[tuple[str, str]]) -> str:
    return "".join(f"{_escaped(term)}\n{indent(_plain(text) or term, '   ')}\n\n" for term, text in rows)


def _section(name: str, text: str) -> str:
    return f"{name}\n{'-' * len(name)}\n\n{text.rstrip()}\n\n"


def write(folder: Path) -> None:
    """Write the source of each page, and one that holds them together."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (_, _, text) in manual_pages().items():
        (folder / f"{name}.rst").write_text(f":orphan:\n\n{name}\n{'=' * len(name)}\n\n{text}")
    (folder / "index.rst").write_text("Manual\n======\n")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
