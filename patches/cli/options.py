"""Options of console commands, created from settings classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import click
from attrs import AttrsInstance
from click.shell_completion import CompletionItem

from patches.scanner.doctor.configuration import ConfigurationFacts
from patches.service.places.setting_places import Family, applicable, found_settings
from patches.settings import CONFIG, BadSetting, Given, Setting, resolve, settings_of
from patches.wording import printable

P = ParamSpec("P")
S = TypeVar("S", bound=AttrsInstance)

#: Settings of each command by itself: click fixes the names when a command is first used, perhaps without its group.
HELP = {"help_option_names": ["-h", "--help"]}


def options_of(
    declared: type[S], family: Family | None = None
) -> Callable[[Callable[Concatenate[S, P], None]], Callable[..., None]]:
    """
    Return a decorator that adds options to a command and passes their settings as its first argument.

    :param declared: the settings class of the command.
    :param family: the programs with which it shares files and variables; ``None``: it reads only what it is given.
    """
    settings = (*settings_of(declared), CONFIG)

    def decorate(command: Callable[Concatenate[S, P], None]) -> Callable[..., None]:
        @wraps(command)
        def with_settings(*arguments: P.args, **given: P.kwargs) -> None:
            texts = {setting.name: _taken(setting, given) for setting in settings}
            try:
                found = found_by(family, texts)
                if family is not None and found is not None:
                    found = applicable(declared, family, found)
                command(resolve(declared, texts, found), *arguments, **given)
            except BadSetting as error:
                raise click.UsageError(str(error)) from error

        return _with_options(with_settings, settings)

    return decorate


def tolerant_options_of(
    declared: type[S], family: Family
) -> Callable[[Callable[[S, ConfigurationFacts], None]], Callable[..., None]]:
    """
    Return a decorator as :func:`options_of` does; what is wrong in files and variables is an argument of the command.

    :param family: if its files or variables cannot be used, those of the command line are.
    """
    settings = (*settings_of(declared), CONFIG)

    def decorate(command: Callable[[S, ConfigurationFacts], None]) -> Callable[..., None]:
        @wraps(command)
        def with_settings(**given: Any) -> None:
            texts = {setting.name: _taken(setting, given) for setting in settings}
            warnings: list[str] = []
            found: dict[str, Given] = {}
            problem = None
            try:
                found = found_settings(family, texts.get(CONFIG.name), warnings.append)
                for kind in family.kinds:
                    resolve(kind, {}, applicable(kind, family, found))
            except BadSetting as error:
                found, problem = {}, str(error)
            origins = tuple(dict.fromkeys(each.origin for each in found.values()))
            try:
                made = resolve(declared, texts, applicable(declared, family, found))
            except BadSetting as error:
                raise click.UsageError(str(error)) from error
            command(made, ConfigurationFacts(origins, tuple(warnings), problem))

        return _with_options(with_settings, settings)

    return decorate


#: A command whose arguments are the texts of the command line, and what is given elsewhere.
ShowsOptions = Callable[[dict[str, str | None], dict[str, Given]], None]


def given_of(family: Family) -> Callable[[ShowsOptions], Callable[..., None]]:
    """
    Return a decorator that adds all options of a family to a command, and passes their texts as its arguments.

    :param family: an option that cannot be used ends the command as wrong usage.
    """
    settings = (*(each for each in family.settings if not each.is_table), CONFIG)

    def decorate(command: ShowsOptions) -> Callable[..., None]:
        @wraps(command)
        def with_texts(**given: Any) -> None:
            texts = {setting.name: _taken(setting, given) for setting in settings}
            try:
                found = found_by(family, texts) or {}
                for kind in family.kinds:
                    resolve(kind, texts, applicable(kind, family, found))
                command(texts, found)
            except BadSetting as error:
                raise click.UsageError(str(error)) from error

        return _with_options(with_texts, settings)

    return decorate


def found_by(family: Family | None, texts: Mapping[str, str | None]) -> dict[str, Given] | None:
    """
    Return what is given in the places of a family; ``None`` if the command has none.

    :param texts: the texts of the command line, of which ``config`` may name a file.
    :raises BadSetting: if a file or a variable cannot be used.
    """
    return None if family is None else found_settings(family, texts.get(CONFIG.name), warn)


def warn(text: str) -> None:
    """Print a warning to standard error."""
    click.echo(f"Warning: {printable(text)}", err=True)


def _with_options(command: Callable[..., None], settings: Sequence[Setting]) -> Callable[..., None]:
    """Add an option for each setting to a command, in their order."""
    for setting in reversed(settings):
        command = _option(setting)(command)
    return command


def _taken(setting: Setting, given: dict[str, Any]) -> str | None:
    """Remove the text of a setting from the arguments of a command. Return it."""
    text: str | None = given.pop(setting.name.replace("-", "_"))
    return text


def _once(context: click.Context, option: click.Parameter, given: tuple[str, ...]) -> str | None:
    """Return the value of an option that may be given once: of two values one would silently be lost."""
    if len(given) > 1:
        raise click.UsageError(f"{option.opts[0]} is given {len(given)} times")
    return given[0] if given else None


def _lines(context: click.Context, option: click.Parameter, given: tuple[str, ...]) -> str | None:
    """Return the values of an option that may be repeated, one in each line."""
    if any("\n" in each for each in given):
        raise click.UsageError(f"{option.opts[0]}: a value has a line feed")
    return "\n".join(given) if given else None


def _completion(setting: Setting) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """
    Return the function that completes a value: one of the values of a setting, the last of several, or a file.

    Of names that are separated by commas, those before the last one are kept.
    """

    def complete(context: click.Context, option: click.Parameter, begun: str) -> list[CompletionItem]:
        if not setting.completed:
            return [CompletionItem(begun, type="file")]
        before, comma, last = begun.rpartition(",")
        return [CompletionItem(f"{before}{comma}{each}") for each in setting.completed if each.startswith(last)]

    return complete


def _option(setting: Setting) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return click's decorator for one setting; the option has the earlier names of the setting too."""
    taken = _lines if setting.is_repeatable else _once
    kind: dict[str, Any] = {"metavar": "VALUE", "multiple": True, "callback": taken}
    if setting.is_flag:
        kind = {"is_flag": True, "flag_value": "true", "default": None, "type": str}
    elif setting.implied is not None:
        kind = {"metavar": "VALUE", "is_flag": False, "flag_value": setting.implied}
    if not setting.is_flag:
        kind["shell_complete"] = _completion(setting)
    names = (f"--{name}" for name in (setting.name, *setting.aliases))
    return click.option(setting.name.replace("-", "_"), *names, help=setting.describe(), **kind)
