"""
Detection of a host's platform from its ``os-release`` file; the rules of each distribution are in
:mod:`patches.scanner.host.distributions`.

Source: os-release(5).
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from attrs import frozen

from patches.scanner.host.distributions import COMPARED_AS, RULES, UnknownPlatform, platform_of
from patches.scanner.inventory.rootfs import open_inside

PATHS = ("etc/os-release", "usr/lib/os-release")
_MOST_BYTES = 64 * 1024


def detect_platform(root: Path) -> str:
    """
    Return the platform of the host whose root folder is ``root``.

    :raises UnknownPlatform: if it is not a platform that can have a list.
    """
    fields = _fields(root) or _old_centos(_read(root, "etc/centos-release"), root)
    if fields.get("ID") == "alpine" and _follows_edge(_read(root, "etc/apk/repositories") or ""):
        return "alpine-edge"
    return platform_of(fields)


@frozen
class System:
    """
    The system that a host says that it is.

    :ivar name: its name with its version, ``Linux Mint 21.2``; ``None`` if it does not say.
    :ivar version: its ``VERSION_ID``; empty if it has none.
    :ivar support_end: the month in which its support ends, ``2028-06``; ``None`` if it does not say.
    :ivar is_derivative: whether it is compared with the lists of the distribution that it is derived from.
    """

    name: str | None = None
    version: str = ""
    support_end: str | None = None
    is_derivative: bool = False


def system_of(root: Path) -> System:
    """Return what the host whose root folder is ``root`` says that it is; nothing if that cannot be read."""
    try:
        fields = _fields(root) or {}
    except UnknownPlatform:
        return System()
    plain = " ".join(fields[name] for name in ("NAME", "VERSION") if fields.get(name))
    name = (fields.get("PRETTY_NAME") or plain)[:120] or None
    is_derivative = bool(fields) and (fields.get("ID", "") not in RULES or fields["ID"] in COMPARED_AS)
    return System(name, fields.get("VERSION_ID", "")[:40], support_end(root), is_derivative)


def support_end(root: Path) -> str | None:
    """Return the month in which the support of a host ends (``2028-06``); ``None`` if its ``os-release`` has no end."""
    try:
        told = (_fields(root) or {}).get("SUPPORT_END", "")
    except UnknownPlatform:
        return None
    return told[:7] if re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])-\d\d", told) else None


def _fields(root: Path) -> dict[str, str] | None:
    texts = (_read(root, path) for path in PATHS)
    return next((parse(text) for text in texts if text is not None), None)


def parse(text: str) -> dict[str, str]:
    """Parse the assignments of an ``os-release`` file as a shell does; lines that are not assignments are skipped."""
    fields = {}
    for line in text.splitlines():
        name, assigned, value = line.strip().partition("=")
        if assigned and not name.startswith("#"):
            fields[name] = _unquoted(value)
    return fields


def _unquoted(value: str) -> str:
    try:
        return " ".join(shlex.split(value))
    except ValueError:
        return value.strip("\"' ")


def _read(root: Path, path: str) -> str | None:
    try:
        with open_inside(root, path) as file:
            return file.read(_MOST_BYTES).decode("utf-8", "replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnknownPlatform(f"unknown platform: {path}: {error.strerror}") from error


def _old_centos(text: str | None, root: Path) -> dict[str, str]:
    """Return the fields of an old CentOS from its ``centos-release``: it had no ``os-release`` before version 7."""
    match = re.match(r"CentOS (?:Linux )?release (\d+(?:\.\d+)*)", text or "")
    if not match:
        raise UnknownPlatform(f"unknown platform: there is no {' or '.join(PATHS)} under {root}")
    return {"ID": "centos", "NAME": "CentOS", "VERSION_ID": match[1]}


def _follows_edge(repositories: str) -> bool:
    """Return whether apk installs from edge by default; it uses a repository with a tag only on request."""
    lines = (line.strip() for line in repositories.splitlines())
    return any(re.match(r"[^#@\s]\S*/edge/main/?\Z", line) for line in lines)
