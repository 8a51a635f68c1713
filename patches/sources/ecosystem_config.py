"""The configuration of an OSV ecosystem outside the table: a section ``[ecosystem."NAME"]``, parsed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from attrs import frozen

from patches.platforms import FAMILIES
from patches.settings import BadSetting
from patches.versions import SCHEMES
from patches.vulnerability import KINDS

_NAME = re.compile(r"[A-Za-z0-9][\w .+-]{0,63}\Z", re.ASCII)
_FAMILY = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*\Z")
_KEYS = ("family", "scheme", "kind")


@frozen
class EcosystemConfig:
    """
    The configuration of an ecosystem. The platform of ``Photon OS:4.0`` is ``photon-4.0`` in the family ``photon``.

    :ivar name: as OSV writes it, without a release: ``Photon OS``.
    :ivar family: the family of its platforms.
    :ivar scheme: the order of versions: ``dpkg``, ``rpm`` or ``apk``.
    :ivar kind: the kind of packages that its records name: ``source`` or ``binary``.
    """

    name: str
    family: str
    scheme: str
    kind: str

    @classmethod
    def from_section(cls, name: str, section: Any) -> EcosystemConfig:
        """
        Parse a section of the configuration file.

        :raises BadSetting: if it cannot be used.
        """
        where = f'[ecosystem."{ascii(name)[1:-1]}"]'
        if not _NAME.match(name):
            raise BadSetting(f'{where}: a name is that of an OSV ecosystem without its release, such as "Photon OS"')
        if not isinstance(section, Mapping):
            raise BadSetting(f"{where}: must be a table with {', '.join(_KEYS)}")
        unknown = sorted(section.keys() - set(_KEYS))
        if unknown:
            raise BadSetting(f"{where}: there is no option {unknown[0]!r}, only {', '.join(_KEYS)}")
        missing = [key for key in _KEYS if key not in section]
        if missing:
            raise BadSetting(f"{where}: has no {missing[0]!r}")
        for key, allowed in (("scheme", SCHEMES), ("kind", KINDS)):
            if section[key] not in allowed:
                raise BadSetting(f"{where}: {key}: must be one of {', '.join(allowed)}, not {section[key]!r}")
        family = section["family"]
        if not isinstance(family, str) or len(family) > 32 or not _FAMILY.match(family):
            raise BadSetting(f"{where}: family: must be a name in lower-case letters, digits and hyphens")
        scheme, _ = FAMILIES.get(family, (section["scheme"], ""))
        if scheme != section["scheme"]:
            raise BadSetting(f"{where}: scheme: the versions of {family} are those of {scheme}")
        return cls(name, **section)
