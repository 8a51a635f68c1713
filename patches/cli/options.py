"""Options of console commands, created from tables of settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

import click

from patches.settings import CONFIG, BadSetting, Setting, resolve

#: Settings of each command by itself: click fixes the names when a command is first used, perhaps without its group.
HELP = {"help_option_names": ["-h", "--help"]}


def options_of(settings: Sequence[Setting], aliases: Mapping[str, str] | None = None) -> Callable[[Any], Any]:
    """
    Return a decorator that adds options to a command and passes their resolved values as its first argument.

    :param aliases: older name of an option → its current name.
    """
    older = aliases or {}

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        names = {setting.name.replace("-", "_"): setting.name for setting in (*settings, CONFIG)}

        @wraps(command)
        def with_values(**given: Any) -> Any:
            arguments = {name: given.pop(name) for name in list(given) if name not in names and name not in older}
            texts = {name.replace("_", "-"): text for name, text in given.items()}
            for old, new in older.items():
                if old in texts:
                    texts[new] = texts.get(new) or texts.pop(old)
            try:
                return command(resolve(settings, texts), **arguments)
            except BadSetting as error:
                raise click.UsageError(str(error)) from error

        for setting in reversed((*settings, CONFIG)):
            old = [f"--{alias}" for alias, name in older.items() if name == setting.name]
            kind: dict[str, Any] = {"metavar": "VALUE"}
            if setting.is_flag:
                kind = {"is_flag": True, "flag_value": "true", "default": None, "type": str}
            elif setting.implied is not None:
                kind |= {"is_flag": False, "flag_value": setting.implied}
            click.option(f"--{setting.name}", *old, help=setting.describe(), **kind)(with_values)
        return with_values

    return decorate
