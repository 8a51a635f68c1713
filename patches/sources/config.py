"""What a configuration says of one source: a section ``[source.NAME]``, parsed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from attrs import field, frozen

from patches.settings import BadSetting, platforms, seconds, url
from patches.sources.fetch.proxies import Proxy

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+\Z")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}\Z")


@frozen
class SourceConfig:
    """
    A source, as it was configured.

    :ivar name: what its records carry as their source.
    :ivar kind: its format, one of the registry's.
    :ivar locations: the URLs or paths where it is; of most kinds one.
    :ivar platforms: of these only; ``None``: of those that are served.
    :ivar ecosystems: OSV: the folders to read in a bucket, ``Ubuntu``.
    :ivar interval: how often to look for changes; ``None``: as often as is usual.
    :ivar full_walk: Clair: how often to read its lists whole; ``None``: as often as is usual.
    :ivar rank: whose word goes before whose; ``None``: as is usual for its kind.
    :ivar ca: a file of certificates to trust in place of the system's.
    :ivar proxy: the URL of a proxy, which may have a user and a password; ``None``: what the environment says.
    :ivar headers: are sent with each request.
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
        Read a section of the configuration file.

        :raises BadSetting: if it cannot be used.
        """
        if not _NAME.match(name):
            raise BadSetting(f"[source.{name}]: a name is lower-case letters, digits and hyphens")
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
            raise ValueError(f"{name!r} cannot be sent")
    return headers


def _proxy(value: Any) -> str:
    text = _text(value)
    Proxy.from_url(text)
    return text


_READ = {
    "kind": _text,
    "url": _urls,
    "path": _texts,
    "platforms": lambda value: platforms(",".join(_texts(value))),
    "ecosystems": _texts,
    "interval": lambda value: seconds(str(value)),
    "full-walk": lambda value: seconds(str(value)),
    "rank": _rank,
    "ca": lambda value: Path(_text(value)),
    "proxy": _proxy,
    "headers": _headers,
}
