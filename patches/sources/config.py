"""The configuration of one source: a section ``[source.NAME]``, parsed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from attrs import field, frozen

from patches.http.access.proxies import Proxy
from patches.setting_parsers import platform_names, seconds, url
from patches.settings import BadSetting

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+\Z")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}\Z")


@frozen
class SourceConfig:
    """
    The configuration of a source.

    :ivar name: the name that its records carry.
    :ivar kind: its format, one of the registry's.
    :ivar locations: its URLs or paths; most kinds have one.
    :ivar platforms: the only platforms to read; ``None``: all platforms that are served.
    :ivar ecosystems: OSV: the folders to read in a bucket, ``Ubuntu``.
    :ivar interval: the time between checks for changes; ``None``: the server's default.
    :ivar full_walk: Clair: the time between complete passes over its lists; ``None``: the default.
    :ivar rank: the precedence of its records, see :class:`~patches.interfaces.ISource`; ``None``: that of its kind.
    :ivar ca: a file of certificates to trust instead of the system's.
    :ivar proxy: the URL of a proxy, which may contain a user and a password; ``None``: that of the environment.
    :ivar headers: sent with each request.
    """

    name: str
    kind: str
    locations: tuple[str, ...]
    platforms: tuple[str, ...] | None = None
    ecosystems: tuple[str, ...] = ()
    interval: timedelta | None = None
    full_walk: timedelta | None = None
    rank: int | None = None
    ca: Path | None = None
    proxy: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(factory=dict, repr=False)

    @classmethod
    def from_section(cls, name: str, section: Mapping[str, Any]) -> SourceConfig:
        """
        Parse a section of the configuration file.

        :raises BadSetting: if it cannot be used.
        """
        if not _NAME.match(name):
            raise BadSetting(f"[source.{name}]: a name consists of lower-case letters, digits and hyphens")
        unknown = sorted(section.keys() - _READ.keys())
        if unknown:
            raise BadSetting(f"[source.{name}]: there is no option {unknown[0]!r}")
        values = {key.replace("-", "_"): _read(name, key, value) for key, value in section.items()}
        if "kind" not in values:
            raise BadSetting(f'[source.{name}]: has no "kind"')
        locations = (*values.pop("url", ()), *values.pop("path", ()))
        if not locations:
            raise BadSetting(f'[source.{name}]: has neither "url" nor "path"')
        return cls(name=name, locations=locations, **values)


def _read(name: str, key: str, value: Any) -> Any:
    try:
        return _READ[key](value)
    except (ValueError, TypeError, AttributeError) as error:
        raise BadSetting(f"[source.{name}]: {key}: {error}") from error


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be a string")
    return value.strip()


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(_text(item) for item in (value if isinstance(value, list) else [value]))


def _urls(value: Any) -> tuple[str, ...]:
    return tuple(url(text) for text in _texts(value))


def _rank(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("must be a whole number, 0 or more")
    return value


def _headers(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError("must be a table of strings")
    headers = {_text(name): _text(content) for name, content in value.items()}
    for name, content in headers.items():
        if not _HEADER.match(name) or not content.isprintable():
            raise ValueError(f"{name!r} cannot be sent as a header")
    return headers


def _proxy(value: Any) -> str:
    text = _text(value)
    Proxy.from_url(text)
    return text


_READ = {
    "kind": _text,
    "url": _urls,
    "path": _texts,
    "platforms": lambda value: platform_names(",".join(_texts(value))),
    "ecosystems": _texts,
    "interval": lambda value: seconds(str(value)),
    "full-walk": lambda value: seconds(str(value)),
    "rank": _rank,
    "ca": lambda value: Path(_text(value)),
    "proxy": _proxy,
    "headers": _headers,
}
