"""
Package URLs of Red Hat's rpms and modules, and the releases of its products.

Source: *Package URL specification* and its type ``rpm``; the type ``rpmmod`` is Red Hat's own.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from attrs import frozen

from patches.sources.fields import is_name

_PURL = re.compile(r"pkg:(rpm|rpmmod)/redhat/([^@?#]+)(?:@([^?#]*))?(?:\?([^#]*))?(?:#.*)?\Z")
_VERSION = re.compile(r"[!-$&-,.-9;-~]+-[!-$&-,.-9;-~]+\Z")
_EPOCH = re.compile(r"[0-9]{1,10}\Z")
_WORD = r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,127}"
_BUILD = re.compile(rf"({_WORD})-(\d{{1,10}}:[\w.+~^]{{1,128}}-[\w.+~^]{{1,128}})\.([a-z]\w{{1,15}})\Z", re.ASCII)
_SOURCE = re.compile(rf"(?:({_WORD}:{_WORD})/)?({_WORD})\Z", re.ASCII)


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
        if not all(is_name(name) and "%" not in name for name in names):
            return None
        if kind == "rpmmod":
            return cls._of_module(names, version)
        pairs = [pair.partition("=") for pair in (told or "").split("&")]
        qualifiers = {key: unquote(value) for key, _, value in pairs}
        return cls._of_package(names, version, qualifiers) if len(names) == 1 else None

    @classmethod
    def from_product_id(cls, text: str) -> RpmPurl | None:
        """
        Parse the id of a component that has no package URL, as in the documents of 2023: the name of a source package,
        ``kernel`` or ``nodejs:18/nodejs``, or a build, ``curl-0:7.76.1-26.el9_3.2.x86_64``.

        :return: ``None`` if it is something else, such as a container image.
        """
        build, source = _BUILD.match(text), _SOURCE.match(text)
        if build is not None:
            name, version, arch = build.groups()
            return cls(name, version, arch)
        return cls(source[2], arch="src", module=source[1]) if source is not None else None

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


_PRODUCT = re.compile(
    r"cpe:(?:/|2\.3:)[ao]:redhat:(?:enterprise_linux|(?:rhel|enterprise_linux)_(?P<support>eus|aus|tus|e4s|els))"
    r":(?P<major>\d{1,3})(?:\.(?P<minor>\d{1,3})|\.\*)?(?::[^/]{0,200})?\Z"
)


@frozen
class ProductRelease:
    """
    The release of Enterprise Linux that a product belongs to.

    :ivar platform: ``rhel-9``.
    :ivar track: the track of a product with longer support, ``eus-9.4`` or ``els``; ``None``: the main line.
    """

    platform: str
    track: str | None = None

    @classmethod
    def from_cpe(cls, cpe: str) -> ProductRelease | None:
        """
        Return the release of a product; ``None`` for products that are not the operating system.

        :param cpe: as a URI, ``cpe:/a:redhat:enterprise_linux:9::appstream``, or as a formatted string,
            ``cpe:2.3:a:redhat:rhel_eus:9.4:*:appstream:*:*:*:*:*``.
        """
        found = _PRODUCT.match(cpe.replace("\\", ""))
        if found is None:
            return None
        support, major, minor = found.group("support", "major", "minor")
        if support in (None, "els"):
            return cls(f"rhel-{major}", support)
        return cls(f"rhel-{major}", f"{support}-{major}.{minor}") if minor else None
