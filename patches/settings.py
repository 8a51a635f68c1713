"""
Options of the programs: each declared once, with its unit, default and help text.

The options of a program are a tuple of :class:`Setting`. Their texts come from the command line, else from a TOML file
that uses the same names, else from their defaults; :func:`resolve` converts them to values or raises
:class:`BadSetting`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from attrs import frozen

from patches.platforms import Platform
from patches.wording import file_problem


class BadSetting(ValueError):
    """An option whose value cannot be used; its text names the option and the reason, in one line."""


@frozen
class Setting:
    """
    One option.

    :ivar name: as on the command line and in the file, ``max-active``.
    :ivar default: in the form in which a user would write it; ``None`` if there is none.
    :ivar parse: converts the text to the value; raises ``ValueError``.
    :ivar help: its meaning and its unit.
    :ivar secret: whether its text may contain a password, so that no message repeats it.
    :ivar implied: the text if the option is given without a value; ``None``: it needs one.
    """

    name: str
    default: str | None
    parse: Callable[[str], Any]
    help: str
    secret: bool = False
    implied: str | None = None

    def describe(self) -> str:
        """Return the help text, with the default at its end."""
        return f"{self.help} [{self.default}]" if self.default is not None and not self.is_flag else self.help

    @property
    def is_flag(self) -> bool:
        """Whether it is given on the command line without a value, and in a file as true or false."""
        return self.parse is flag

    @property
    def is_table(self) -> bool:
        """Whether it is a table of tables, ``[NAME.…]``, which can be given in a file only."""
        return self.parse is table


CONFIG = Setting("config", None, Path, "A TOML file with options of the same names; the command line takes precedence.")

#: The reason to refuse a text that is not an endpoint.
NOT_AN_ENDPOINT = "must be an endpoint such as tcp:8080:interface=127.0.0.1"

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_SIZES = {"": 1, "b": 1, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "kb": 10**3, "mb": 10**6, "gb": 10**9}


def flag(text: str) -> bool:
    """Parse ``true`` or ``false``."""
    if text not in ("true", "false"):
        raise ValueError("must be true or false")
    return text == "true"


def table(text: str) -> Any:
    """Raise ``ValueError``: a table can be given in a file only, where :func:`resolve` does not parse it."""
    raise ValueError("can be given in a configuration file only")


def one_of(*names: str) -> Callable[[str], str]:
    """Return a parser that accepts one of these names."""

    def read(text: str) -> str:
        if text.strip() not in names:
            raise ValueError(f"must be one of {', '.join(names)}")
        return text.strip()

    return read


def seconds(text: str) -> timedelta:
    """Parse a time: a number of seconds, or one with its unit: ``500ms``, ``30s``, ``10m``, ``6h``, ``1d``."""
    return _duration(text, "s")


def minutes(text: str) -> timedelta:
    """Parse a time like :func:`seconds`; a number without a unit is in minutes."""
    return _duration(text, "m")


def _duration(text: str, unit: str) -> timedelta:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?", text.strip())
    if not found:
        raise ValueError("must be a time such as 30s, 10m or 6h")
    value = float(found[1]) * _UNITS[found[2] or unit]
    if not 1e-6 <= value <= 366 * 86400:
        raise ValueError("must be more than zero, and a year at most")
    return timedelta(seconds=value)


def size(text: str) -> int:
    """Parse a number of bytes: ``65536``, ``64KiB``, ``256MiB``."""
    found = re.fullmatch(r"(\d+)\s*([A-Za-z]*)", text.strip())
    if not found or found[2].lower() not in _SIZES:
        raise ValueError("must be a size such as 65536, 64KiB or 256MiB")
    return int(found[1]) * _SIZES[found[2].lower()]


def count(text: str) -> int:
    """Parse a whole number above zero."""
    if not text.strip().isdigit() or int(text) < 1:
        raise ValueError("must be a whole number, 1 or more")
    return int(text)


def fraction(text: str) -> float:
    """Parse a fraction: ``10%``, ``0.1``."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(%?)", text.strip())
    value = float(found[1]) / (100 if found[2] else 1) if found else 2.0
    if value > 1:
        raise ValueError("must be a fraction such as 10% or 0.1, 100% at most")
    return value


def rate(text: str) -> float:
    """Parse a rate above zero, in requests per second."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise ValueError("must be a number of requests per second, more than zero")
    return value


def url(text: str) -> str:
    """Parse an ``http`` or ``https`` URL. Return it without a slash at its end."""
    try:
        parts = urlsplit(text.strip())
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment or "@" in parts.netloc or re.search(r"[\s\x00-\x1f]", text.strip()):
        raise ValueError("must be a URL that begins with http:// or https://, such as http://127.0.0.1:8080")
    return text.strip().rstrip("/")


def platforms(text: str) -> tuple[str, ...]:
    """Parse platform names that are separated by commas."""
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise ValueError("must be platform names such as debian-12,ubuntu-24.04")
    return tuple(str(Platform.from_name(name)) for name in names)


def networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Parse addresses or networks that are separated by commas: ``10.0.0.7,fd00::/8``."""
    try:
        return tuple(ip_network(name.strip()) for name in text.split(","))
    except ValueError:
        raise ValueError("must be addresses or networks such as 10.0.0.7,192.168.0.0/16,fd00::/8") from None


def endpoint(text: str) -> str:
    """Parse a Twisted server endpoint string: ``tcp:8080:interface=127.0.0.1``; a number alone is a TCP port."""
    text = text.strip()
    if text.isdigit():
        text = f"tcp:{text}"
    kind, _, rest = text.partition(":")
    if not kind.isalnum() or not rest:
        raise ValueError(NOT_AN_ENDPOINT)
    return text


def resolve(settings: Sequence[Setting], given: Mapping[str, str | None]) -> dict[str, Any]:
    """
    Convert the texts of options to values.

    :param given: the texts of the command line by option name; ``None`` for an option that is not given. Its ``config``
        names a TOML file.
    :return: the values by option name; ``None`` for an option that is not given and has no default.
    :raises BadSetting: at the first option that cannot be used.
    """
    config = given.get("config")
    from_file = _read_file(Path(config), settings) if config else {}
    values = {}
    for setting in settings:
        text = given.get(setting.name)
        text = from_file.get(setting.name) if text is None else text
        text = setting.default if text is None else text
        values[setting.name] = _parse(setting, text) if isinstance(text, str) else text
    return values


def _parse(setting: Setting, text: str) -> Any:
    try:
        return setting.parse(text)
    except ValueError as error:
        given = "" if setting.secret else f" {text!r}"
        raise BadSetting(f"--{setting.name}{given}: {error}") from error


def _read_file(path: Path, settings: Sequence[Setting]) -> dict[str, Any]:
    try:
        read = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BadSetting(f"--config {path}: {file_problem(error)}") from error
    except ValueError as error:
        raise BadSetting(f"--config {path}: not TOML: {error}") from error
    known = {setting.name: setting for setting in settings}
    unknown = sorted(read.keys() - known.keys())
    if unknown:
        raise BadSetting(f"--config {path}: there is no option {unknown[0]!r}")
    return {name: _from_file(path, known[name], value) for name, value in read.items()}


def _from_file(path: Path, setting: Setting, value: Any) -> Any:
    """Convert a value of the file to text; a table of tables stays as it is."""
    name = setting.name
    if setting.is_flag:
        if not isinstance(value, bool):
            raise BadSetting(f"--config {path}: {name} must be true or false")
        return "true" if value else "false"
    if setting.is_table:
        if not isinstance(value, dict) or not all(isinstance(each, dict) for each in value.values()):
            raise BadSetting(f"--config {path}: {name} must be tables, [{name}.NAME]")
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ",".join(value)
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value)
    raise BadSetting(f"--config {path}: {name} must be a string, a number or a list of strings")
