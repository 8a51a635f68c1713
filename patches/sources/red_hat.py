"""
Package URLs of Red Hat's rpms and modules.

Source: *Package URL specification* and its type ``rpm``; the type ``rpmmod`` is Red Hat's own.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from attrs import frozen

from patches.sources.fields import is_name

_PURL = re.compile(r"pkg:(rpm|rpmmod)/redhat/([^@?#]+)(?:@([^?#]*))?(?:\?([^#]*))?(?:#.*)?\Z")
_VERSION = re.compile(r"[!-,.-9;-~]+-[!-,.-9;-~]+\Z")
_EPOCH = re.compile(r"[0-9]{1,10}\Z")


@frozen
class RpmPurl:
    """
    The parts of a package URL of a package or module.

    :ivar name: the name of the package; empty: the URL is that of a module.
    :ivar version: ``epoch:version-release``; ``None``: any, or not valid.
    :ivar arch: ``src`` for a source package; ``None``: unknown.
    :ivar module: ``name:stream``, or ``None``.
    """

    name: str
    version: str | None = None
    arch: str | None = None
    module: str | None = None

    @classmethod
    def from_text(cls, text: str) -> RpmPurl | None:
        """Parse a package URL; ``None`` if it is not that of an rpm or a module of Red Hat."""
        found = _PURL.match(text)
        if found is None:
            return None
        kind, path, version, told = found.groups()
        names = [unquote(part) for part in path.split("/")]
        version = unquote(version or "")
        if not all(is_name(name) for name in names):
            return None
        if kind == "rpmmod":
            return cls._of_module(names, version)
        pairs = [pair.partition("=") for pair in (told or "").split("&")]
        qualifiers = {key: unquote(value) for key, _, value in pairs}
        return cls._of_package(names, version, qualifiers) if len(names) == 1 else None

    @classmethod
    def _of_module(cls, names: list[str], version: str) -> RpmPurl | None:
        """Parse ``redhat/nodejs@18:8100:489197e6`` as a module, ``redhat/nodejs:18/nodejs`` as a source package."""
        if len(names) == 2:
            return cls(names[1], arch="src", module=parse_module(names[0]))
        return cls("", module=parse_module(f"{names[0]}:{version}")) if len(names) == 1 else None

    @classmethod
    def _of_package(cls, names: list[str], version: str, qualifiers: dict[str, str]) -> RpmPurl:
        epoch, arch = qualifiers.get("epoch") or "0", qualifiers.get("arch")
        valid = _VERSION.match(version) and _EPOCH.match(epoch)
        return cls(
            names[0],
            f"{epoch}:{version}" if valid else None,
            arch if is_name(arch) else None,
            parse_module(qualifiers.get("rpmmod", "")),
        )


def parse_module(text: str) -> str | None:
    """Return the ``name:stream`` of a module, without the rest: ``nodejs:18:8100020240807161023:489197e6``."""
    parts = text.split(":")[:2]
    return ":".join(parts) if len(parts) == 2 and all(is_name(part) for part in parts) else None


_MAINLINE = re.compile(
    r"cpe:(?:/|2\.3:)[ao]:redhat:enterprise_linux:(?P<major>\d{1,3})(?:\.\d{1,3}|\.\*)?(?::[^/]{0,200})?\Z"
)


def platform_of_cpe(cpe: str) -> str | None:
    """
    Return the platform that a product belongs to.

    :param cpe: as a URI, ``cpe:/a:redhat:enterprise_linux:9::appstream``, or as a formatted string,
        ``cpe:2.3:a:redhat:enterprise_linux:9:*:appstream:*:*:*:*:*``.
    :return: ``rhel-9``; ``None`` for other products.
    """
    found = _MAINLINE.match(cpe.replace("\\", ""))
    return f"rhel-{found['major']}" if found else None
