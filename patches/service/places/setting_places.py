"""
The places where the options of a family of programs are found: files, then the environment, then the command line.

A family is a daemon and the commands that share its file. Each reads the options that it has, and passes over those of
the others; a name that none of them has is an error in a file, and a warning in the environment.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from attrs import AttrsInstance, frozen

from patches.settings import BadSetting, Given, Setting, read_file, settings_of

#: The beginning of the names of variables.
PREFIX = "PATCHES_"


@frozen
class Family:
    """
    Programs that share their options.

    :ivar kinds: their settings classes.
    :ivar files: returns the files that are read if they exist; a later one takes precedence.
    """

    kinds: tuple[type[AttrsInstance], ...]
    files: Callable[[], Sequence[Path]]

    @property
    def settings(self) -> tuple[Setting, ...]:
        """All options, each once."""
        return tuple({each.name: each for kind in self.kinds for each in settings_of(kind)}.values())


def found_settings(
    family: Family,
    config: str | None,
    warn: Callable[[str], object],
    environment: Mapping[str, str] = os.environ,
) -> dict[str, Given]:
    """
    Return the options that are given in files and in the environment, by name.

    :param config: a file to read in place of the family's; ``None``: none is named.
    :param warn: called with what is odd in the environment.
    :raises BadSetting: if a file or a variable cannot be used.
    """
    settings = family.settings
    found: dict[str, Given] = {}
    if config:
        found |= read_file(Path(config), settings)
    else:
        for path in family.files():
            if path.exists():
                found |= read_file(path, settings, str(path))
    return {**found, **_from_environment(settings, warn, environment)}


def _from_environment(
    settings: Iterable[Setting], warn: Callable[[str], object], environment: Mapping[str, str]
) -> dict[str, Given]:
    known = {variable_of(each): each for each in settings if not each.is_table}
    found = {}
    for variable in sorted(name for name in environment if name.startswith(PREFIX)):
        setting, text = known.get(variable), environment[variable]
        if setting is None:
            warn(f"{variable} is set, but there is no option {option_of(variable)!r}")
        elif setting.is_flag and text not in ("true", "false"):
            raise BadSetting(f"{variable}: {setting.name} must be true or false")
        else:
            found[setting.name] = Given(text, variable)
    return found


def applicable(kind: type[AttrsInstance], family: Family, found: Mapping[str, Given]) -> dict[str, Given]:
    """
    Return what is given in shared places without the values that are meant for another program of the family.

    An option of the same name may have other values there: ``format = "sarif"`` is for a scan. A value that no program
    of the family could use stays, and is an error.

    :param kind: the settings class of the program.
    """
    own = {each.name: each for each in settings_of(kind)}
    left = dict(found)
    for name, given in found.items():
        if (
            name in own
            and not _can_be(own[name], given)
            and any(each.name == name and _can_be(each, given) for other in family.kinds for each in settings_of(other))
        ):
            del left[name]
    return left


def _can_be(setting: Setting, given: Given) -> bool:
    try:
        setting.value(given.text)
    except BadSetting:
        return False
    return True


def variable_of(setting: Setting) -> str:
    """Return the name of the variable of an option: ``PATCHES_SCAN_FREQUENCY``."""
    return PREFIX + setting.name.replace("-", "_").upper()


def option_of(variable: str) -> str:
    """Return the name of the option of a variable, whether there is one or not."""
    return variable.removeprefix(PREFIX).replace("_", "-").lower()


@frozen
class Resolved:
    """
    An option as it holds.

    :ivar text: in the form in which a user would write it; ``None``: not given, and it has no default.
    :ivar origin: where it was given: a file, a variable, the command line, or nowhere (``default``).
    """

    setting: Setting
    text: str | None
    origin: str


def resolved_settings(
    settings: Iterable[Setting], given: Mapping[str, str | None], found: Mapping[str, Given]
) -> Iterator[Resolved]:
    """
    Yield each option but the tables of tables.

    :param given: the texts of the command line.
    """
    for setting in settings:
        typed = given.get(setting.name)
        if setting.is_table:
            continue
        if typed is not None:
            yield Resolved(setting, typed, "command line")
        elif setting.name in found:
            yield Resolved(setting, str(found[setting.name].text), found[setting.name].origin)
        else:
            yield Resolved(setting, setting.default, "default")
