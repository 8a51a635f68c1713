"""
Detection of the tracks that a host has besides the main line, from its own files; see :mod:`patches.tracks`.

Source: Ubuntu Pro client (``status.json``, the sources files that it writes), sources.list(5); ``redhat.repo`` of
subscription-manager, dnf.conf(5) for variables; ``/etc/products.d`` of SUSE's zypper.
"""

from __future__ import annotations

import configparser
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from patches.platforms import Platform
from patches.scanner.inventory import Package
from patches.scanner.inventory.rootfs import open_inside, resolve_inside

_MOST_BYTES = 1024 * 1024
#: The highest number of files of one folder that are read.
_MOST_FILES = 500

_PRO_STATUS = "var/lib/ubuntu-advantage/status.json"
_APT_SOURCES = ("etc/apt/sources.list", "etc/apt/sources.list.d")
#: The repository of a service of Ubuntu Pro → its track.
_PRO_REPOSITORY = re.compile(
    r"https?://esm\.ubuntu\.com/(?:\S*?/)?(infra|apps|fips|fips-updates|fips-preview|realtime)\b"
)
_PRO_TRACKS = {
    "esm-infra": "esm",
    "esm-apps": "esm",
    "infra": "esm",
    "apps": "esm",
    "fips": "fips",
    "fips-updates": "fips",
    "fips-preview": "fips",
    "realtime": "realtime",
    "realtime-kernel": "realtime",
}

_REPOS = "etc/yum.repos.d"
_PINS = ("etc/dnf/vars/releasever", "etc/yum/vars/releasever")
_RHSM_PIN = "var/lib/rhsm/cache/releasever.json"
#: ``rhel-9-for-x86_64-baseos-eus-rpms``, ``https://cdn.redhat.com/content/eus/rhel9/9.4/x86_64/baseos/os``.
_RED_HAT = re.compile(r"(?:^|[-/])(eus|aus|tus|e4s|els)(?:[-/]|$)")
_MINOR = re.compile(r"\d{1,2}\.\d{1,2}\Z")

_PRODUCTS = "etc/products.d"
_PRODUCT = re.compile(rb"<name>([\w.-]{1,80})</name>")
#: The name of an installed product of SUSE, in lower case → its track.
_SUSE_TRACKS = (
    (re.compile(r".*ltss.*"), "ltss"),
    (re.compile(r"sles_sap"), "sap"),
    (re.compile(r"sle-ha(?:-geo)?"), "ha"),
    (re.compile(r"sle-we"), "we"),
    (re.compile(r"sled"), "desktop"),
    (re.compile(r"sle-module-live-patching|sle-live-patching"), "live-patching"),
    (re.compile(r".*espos"), "espos"),
    (re.compile(r"sle_hpc"), "hpc"),
    (re.compile(r".*teradata"), "teradata"),
)


def tracks_of_host(root: Path, packages: Iterable[Package], platform: str, version: str = "") -> frozenset[str]:
    """
    Return the tracks of the host whose root folder is ``root``.

    :param version: its ``VERSION_ID``: the minor release of a host whose repositories do not name one.
    """
    family = Platform.family_of(platform)
    if family == "ubuntu":
        return frozenset(_ubuntu_tracks(root, packages))
    if family == "rhel":
        return frozenset(_red_hat_tracks(root, version))
    return frozenset(_suse_tracks(root)) if family in ("sles", "sl-micro") else frozenset()


def _ubuntu_tracks(root: Path, packages: Iterable[Package]) -> Iterator[str]:
    """
    Yield the tracks of Ubuntu Pro.

    An installed version from the track is the sign that remains longest; apt's sources and the client's status are
    others.
    """
    if any("+esm" in package.version or "~esm" in package.version for package in packages):
        yield "esm"
    for line in _active_sources(root):
        found = _PRO_REPOSITORY.search(line)
        if found:
            yield _PRO_TRACKS[found[1]]
    yield from _pro_services(root)


def _active_sources(root: Path) -> Iterator[str]:
    """Yield the lines of apt's sources that name a repository which is in use."""
    one, folder = _APT_SOURCES
    for path in (one, *(f"{folder}/{name}" for name in _names(root, folder) if name.endswith((".list", ".sources")))):
        text = _text(root, path)
        if not path.endswith(".sources"):
            yield from (line for line in text.splitlines() if re.match(r"\s*deb[\s\[]", line))
            continue
        for stanza in re.split(r"\n\s*\n", text):
            if not re.search(r"(?im)^types:.*\bdeb(?!-)", stanza):
                continue
            lines = [line for line in stanza.splitlines() if not line.startswith("#")]
            if not any(re.match(r"(?i)enabled:\s*(?:no|false|0|off|without|disable)", line) for line in lines):
                yield from lines


def _pro_services(root: Path) -> Iterator[str]:
    try:
        status = json.loads(_text(root, _PRO_STATUS) or "null")
    except (ValueError, RecursionError):
        return
    if not isinstance(status, dict) or status.get("attached") is not True:
        return
    services = status.get("services")
    if not isinstance(services, list):
        yield "esm"
        return
    for service in services:
        if isinstance(service, dict) and service.get("status") == "enabled" and service.get("name") in _PRO_TRACKS:
            yield _PRO_TRACKS[service["name"]]


def _red_hat_tracks(root: Path, version: str) -> Iterator[str]:
    pin = _pin(root)
    if pin is not None:
        yield f"eus-{pin}"
    for name, url in _enabled_repositories(root):
        found = _RED_HAT.search(url) or _RED_HAT.search(name)
        if found is None:
            continue
        listed = re.search(r"/(\d{1,2}\.\d{1,2})/", url)
        minor = listed[1] if listed else pin or version
        if found[1] == "els":
            yield "els"
        elif _MINOR.match(minor):
            yield f"{found[1]}-{minor}"


def _pin(root: Path) -> str | None:
    """Return the minor release that the host is pinned to; ``None``: it follows the newest."""
    texts = [_text(root, path).strip() for path in _PINS]
    try:
        cached = json.loads(_text(root, _RHSM_PIN) or "null")
    except (ValueError, RecursionError):
        cached = None
    texts.append(str(cached.get("releaseVer") or "") if isinstance(cached, dict) else "")
    return next((text for text in texts if _MINOR.match(text)), None)


def _enabled_repositories(root: Path) -> Iterator[tuple[str, str]]:
    """Yield the id and the URL of each enabled repository of yum or dnf."""
    for name in _names(root, _REPOS):
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            parser.read_string(_text(root, f"{_REPOS}/{name}") if name.endswith(".repo") else "")
        except configparser.Error:
            continue
        for section in parser.sections():
            if parser.get(section, "enabled", fallback="1").strip().lower() in ("1", "yes", "true", "on"):
                yield section, parser.get(section, "baseurl", fallback="")


def _suse_tracks(root: Path) -> Iterator[str]:
    for name in _names(root, _PRODUCTS):
        found = _PRODUCT.search(_bytes(root, f"{_PRODUCTS}/{name}")) if name.endswith(".prod") else None
        product = found[1].decode("ascii", "replace").lower() if found else ""
        yield from (track for pattern, track in _SUSE_TRACKS if product and pattern.fullmatch(product))


def _names(root: Path, folder: str) -> list[str]:
    try:
        return sorted(entry.name for entry in resolve_inside(root, folder).iterdir())[:_MOST_FILES]
    except OSError:
        return []


def _text(root: Path, path: str) -> str:
    return _bytes(root, path).decode("utf-8", "replace")


def _bytes(root: Path, path: str) -> bytes:
    """Return the content of a file; empty if it cannot be read."""
    try:
        with open_inside(root, path) as file:
            return file.read(_MOST_BYTES)
    except OSError:
        return b""
