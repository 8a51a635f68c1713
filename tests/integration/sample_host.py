"""A made-up host's root folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def write_host(root: Path, platform_id: str, version: str, packages: Mapping[str, str]) -> Path:
    """
    Write an ``os-release`` and a dpkg database.

    :param packages: the versions by name.
    """
    (root / "etc").mkdir(parents=True)
    (root / "etc/os-release").write_text(f"ID={platform_id}\nVERSION_ID={version}\n")
    (root / "var/lib/dpkg").mkdir(parents=True)
    stanzas = [
        f"Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {installed}\n"
        for name, installed in packages.items()
    ]
    (root / "var/lib/dpkg/status").write_text("\n".join(stanzas) + "\n")
    return root
