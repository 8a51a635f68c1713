"""
Platform names, ``<family>-<version>``, and the properties of a family: its version order and its kind of packages.
"""

from __future__ import annotations

import re

from attrs import frozen

PATTERN = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*(?:-[a-z0-9][a-z0-9._~+]*)?\Z")

#: family → (version scheme, the kind of packages that its lists name: source or binary)
FAMILIES = {
    "debian": ("dpkg", "source"),
    "ubuntu": ("dpkg", "source"),
    "alpine": ("apk", "source"),
    "wolfi": ("apk", "source"),
    "chainguard": ("apk", "source"),
    "centos": ("rpm", "binary"),
    "centos-stream": ("rpm", "binary"),
    "rhel": ("rpm", "binary"),
    "rocky": ("rpm", "source"),
    "alma": ("rpm", "binary"),
    "oracle": ("rpm", "binary"),
    "amazon": ("rpm", "binary"),
    "fedora": ("rpm", "binary"),
    "sles": ("rpm", "source"),
    "sl-micro": ("rpm", "source"),
    "opensuse-leap": ("rpm", "source"),
    "opensuse": ("rpm", "source"),
    "mageia": ("rpm", "source"),
    "openeuler": ("rpm", "source"),
    "photon": ("rpm", "binary"),
    "azurelinux": ("rpm", "source"),
}


class InvalidPlatform(ValueError):
    """A name that is not a valid platform name."""


@frozen
class Platform:
    """
    A distribution release.

    :ivar family: ``debian``, ``opensuse-leap``.
    :ivar version: ``12``, ``unstable``; empty for a rolling distribution.
    """

    family: str
    version: str

    @classmethod
    def from_name(cls, name: str) -> Platform:
        """
        Parse a platform name.

        :raises InvalidPlatform: if it is not a valid name.
        """
        if len(name) > 64 or not PATTERN.match(name):
            raise InvalidPlatform(f"{name[:64]!r} is not a platform name such as debian-12")
        for family in sorted(FAMILIES, key=len, reverse=True):
            if name == family:
                return cls(family, "")
            if name.startswith(family + "-"):
                return cls(family, name[len(family) + 1 :])
        family, _, version = name.rpartition("-")
        return cls(family, version) if family else cls(name, "")

    @classmethod
    def family_of(cls, name: str) -> str:
        """Return the family that a platform name states; empty if the name is not valid."""
        try:
            return cls.from_name(name).family
        except InvalidPlatform:
            return ""

    def __str__(self) -> str:
        return f"{self.family}-{self.version}" if self.version else self.family

    @property
    def version_scheme(self) -> str | None:
        """The order of its versions: ``dpkg``, ``rpm`` or ``apk``; ``None`` if the family is not known."""
        return FAMILIES.get(self.family, (None, ""))[0]

    @property
    def package_kind(self) -> str:
        """The kind of packages that its lists name: ``source`` or ``binary``."""
        return FAMILIES.get(self.family, (None, "source"))[1]
