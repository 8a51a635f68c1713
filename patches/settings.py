"""
Settings of the programs: each declared once, with its name, type, unit, default and help text.

The settings of a program are a frozen attrs class. A field is one option (:func:`option`, :func:`tables`) or a group of
options that several programs or parts share (:func:`group`). The command line, the TOML file that uses the same names,
``--help`` and the tables of the documentation are all derived from that class by :func:`settings_of`; :func:`resolve`
creates its instance, or raises :class:`BadSetting`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, overload

from attrs import Attribute, AttrsInstance, evolve, field, fields, frozen

from patches.setting_parsers import OneOf, flag
from patches.wording import file_problem, printable

T = TypeVar("T")
S = TypeVar("S", bound=AttrsInstance)

#: The sections of a file, ``[source.NAME]``, by NAME.
Sections = Mapping[str, Mapping[str, Any]]

_SETTING, _GROUP = "patches.setting", "patches.group"


#: The most bytes of a file with options.
LARGEST_FILE = 1 << 20


class BadSetting(ValueError):
    """An option whose value cannot be used; its text names the option and the reason, in one line."""

    def __str__(self) -> str:
        return printable(super().__str__())


@frozen
class Setting:
    """
    One option.

    :ivar name: as on the command line and in the file, ``max-active``; that of the field if empty.
    :ivar default: in the form in which a user would write it; ``None`` if there is none.
    :ivar parse: converts the text to the value; raises ``ValueError``; ``None``: it is a table.
    :ivar help: its meaning and its unit.
    :ivar secret: whether its text may contain a password, so that no message repeats it.
    :ivar implied: the text if the option is given without a value; ``None``: it needs one.
    :ivar aliases: earlier names, which are accepted on the command line.
    :ivar reloaded: whether a daemon reads it, and the file that it names, again on SIGHUP.
    :ivar values: the values that a shell may complete, beside those of the parser.
    :ivar is_repeatable: whether it may be given several times; its text then has one value in each line.
    """

    name: str
    default: str | None
    parse: Callable[[str], Any] | None
    help: str
    secret: bool = False
    implied: str | None = None
    aliases: tuple[str, ...] = ()
    reloaded: bool = False
    is_repeatable: bool = False
    values: tuple[str, ...] = ()

    def describe(self) -> str:
        """Return the help text, with the default at its end."""
        return f"{self.help} [{self.default}]" if self.default is not None and not self.is_flag else self.help

    @property
    def is_flag(self) -> bool:
        """Whether it is given on the command line without a value, and in a file as true or false."""
        return self.parse is flag

    @property
    def completed(self) -> tuple[str, ...]:
        """The values that a shell may complete; empty if any text may be one."""
        return self.values or (self.parse.names if isinstance(self.parse, OneOf) else ())

    @property
    def is_table(self) -> bool:
        """Whether it is a table of tables, ``[NAME.…]``, which can be given in a file only."""
        return self.parse is None

    def value(self, text: str | None) -> Any:
        """
        Convert a text to the value.

        :param text: ``None`` if the option is not given; then the default is converted.
        :raises BadSetting: if the text cannot be used.
        """
        text = self.default if text is None else text
        if text is None or self.parse is None:
            return None
        try:
            return self.parse(text)
        except ValueError as error:
            given = "" if self.secret else f" {_WITH_SECRET.sub(_HIDDEN, text)!r}"
            raise BadSetting(f"--{self.name}{given}: {error}") from error


#: What may be secret in a text that is meant as a URL: a user with a password, and a query.
_WITH_SECRET, _HIDDEN = re.compile(r"(?<=://)[^/@]*@|(?<=[?]).+"), "…"
CONFIG = Setting("config", None, Path, "A TOML file with options of the same names; the command line takes precedence.")


@overload
def option(
    default: str,
    parse: Callable[[str], T],
    help: str,
    *,
    name: str = "",
    secret: bool = False,
    implied: str | None = None,
    aliases: tuple[str, ...] = (),
    reloaded: bool = False,
    is_repeatable: bool = False,
    values: tuple[str, ...] = (),
) -> T: ...
@overload
def option(
    default: None,
    parse: Callable[[str], T],
    help: str,
    *,
    name: str = "",
    secret: bool = False,
    implied: str | None = None,
    aliases: tuple[str, ...] = (),
    reloaded: bool = False,
    is_repeatable: bool = False,
    values: tuple[str, ...] = (),
) -> T | None: ...
def option(default: str | None, parse: Callable[[str], Any], help: str, *, name: str = "", **more: Any) -> Any:
    """
    Declare a field of a settings class as one option.

    :param default: in the form in which a user would write it; ``None``: the value is ``None`` if it is not given.
    :param parse: its result has the type of the field, which mypy checks.
    :param name: that of the field, with hyphens, if empty.
    :param more: see :class:`Setting`.
    """
    setting = Setting(name, default, parse, help, **more)
    return field(factory=lambda: setting.value(None), metadata={_SETTING: setting})


def tables(help: str, *, name: str = "") -> Sections:
    """Declare a field as a table of tables, which can be given in a file only; it is empty if it is not given."""
    made: Sections = field(factory=dict, metadata={_SETTING: Setting(name, None, None, help)})
    return made


def group(kind: type[S]) -> S:
    """Declare a field as a group of options, which have no prefix."""
    made: S = field(factory=kind, metadata={_GROUP: kind})
    return made


def settings_of(kind: type[AttrsInstance]) -> tuple[Setting, ...]:
    """Return the options of a settings class, those of its groups included, in the order of the fields."""
    return tuple(_declared(kind))


def _declared(kind: type[AttrsInstance]) -> Iterator[Setting]:
    for each in fields(kind):
        if _GROUP in each.metadata:
            yield from _declared(each.metadata[_GROUP])
        else:
            yield _setting(each)


def _setting(declared: Attribute[Any]) -> Setting:
    setting: Setting = declared.metadata[_SETTING]
    return setting if setting.name else evolve(setting, name=declared.name.replace("_", "-"))


def differing(old: AttrsInstance, new: AttrsInstance) -> tuple[Setting, ...]:
    """Return the options whose values differ in two instances of a settings class."""
    return tuple(_differing(old, new))


def _differing(old: AttrsInstance, new: AttrsInstance) -> Iterator[Setting]:
    for each in fields(type(old)):
        before, now = getattr(old, each.name), getattr(new, each.name)
        if _GROUP in each.metadata:
            yield from _differing(before, now)
        elif before != now:
            yield _setting(each)


@frozen
class Given:
    """
    The text of an option, and where it was given.

    :ivar text: a table of tables is no text.
    :ivar origin: as an error names it: ``--config FILE``, ``PATCHES_PATIENCE``; empty: the command line.
    """

    text: Any
    origin: str = ""


def resolve(kind: type[S], given: Mapping[str, str | None], found: Mapping[str, Given] | None = None) -> S:
    """
    Create the settings of a program from the texts of its options.

    :param given: the texts of the command line by option name; ``None`` for an option that is not given. Its ``config``
        names a TOML file.
    :param found: what was given elsewhere, in place of that file; see :mod:`patches.service.places.setting_places`.
    :raises BadSetting: at the first option that cannot be used.
    """
    config = given.get(CONFIG.name)
    if found is None:
        found = read_file(Path(config), settings_of(kind)) if config else {}
    return _create(kind, {**found, **{name: Given(text) for name, text in given.items() if text is not None}})


def _create(kind: type[S], texts: Mapping[str, Given]) -> S:
    """Create the instance of a settings class, and those of its groups."""
    parts: dict[str, Any] = {}
    for each in fields(kind):
        if _GROUP in each.metadata:
            parts[each.name] = _create(each.metadata[_GROUP], texts)
        else:
            setting = _setting(each)
            parts[each.name] = _value(setting, texts.get(setting.name, Given(None)))
    return kind(**parts)


def _value(setting: Setting, given: Given) -> Any:
    if setting.is_table:
        return given.text or {}
    try:
        return setting.value(given.text)
    except BadSetting as error:
        raise BadSetting(f"{given.origin}: {error}") if given.origin else error from error


def read_file(path: Path, settings: Iterable[Setting], origin: str = "") -> dict[str, Given]:
    """
    Read a TOML file with options.

    :param settings: the options that it may have.
    :param origin: how errors name it; empty: as the file of ``--config``.
    :raises BadSetting: if it cannot be used.
    """
    origin = origin or f"--config {path}"
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise BadSetting(f"{origin}: {file_problem(error)}") from error
    if len(text) > LARGEST_FILE:
        raise BadSetting(f"{origin}: is larger than {LARGEST_FILE} bytes")
    try:
        read = tomllib.loads(text.decode("utf-8"))
    except ValueError as error:
        raise BadSetting(f"{origin}: not TOML: {error}") from error
    known = {setting.name: setting for setting in settings}
    unknown = sorted(read.keys() - known.keys())
    if unknown:
        raise BadSetting(f"{origin}: there is no option {unknown[0]!r}{_nearest(unknown[0], known)}")
    return {name: Given(_from_file(origin, known[name], value), origin) for name, value in read.items()}


def _nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint to the option whose name is nearest to an unknown one; empty: none is near."""
    near = get_close_matches(name, list(known), 1)
    return f"; is {near[0]!r} meant?" if near else ""


def _from_file(origin: str, setting: Setting, value: Any) -> Any:
    """Convert a value of the file to text; a table of tables stays as it is."""
    name = setting.name
    if setting.is_flag:
        if not isinstance(value, bool):
            raise BadSetting(f"{origin}: {name} must be true or false")
        return "true" if value else "false"
    if setting.is_table:
        if not isinstance(value, dict) or not all(isinstance(each, dict) for each in value.values()):
            raise BadSetting(f"{origin}: {name} must be tables, [{name}.NAME]")
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ("\n" if setting.is_repeatable else ",").join(value)
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value)
    raise BadSetting(f"{origin}: {name} must be a string, a number or a list of strings")
