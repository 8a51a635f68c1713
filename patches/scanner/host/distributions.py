"""
The rules of each distribution: the platform that the fields of its ``os-release`` describe.

A platform is the unit for which a distribution publishes a list of fixes: a single release, or a series of releases. A
host of any other distribution is an error: a comparison with a guessed list would find nothing and look clean.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

UBUNTU_CODENAMES = {
    "trusty": "14.04",
    "xenial": "16.04",
    "bionic": "18.04",
    "focal": "20.04",
    "jammy": "22.04",
    "kinetic": "22.10",
    "lunar": "23.04",
    "mantic": "23.10",
    "noble": "24.04",
    "oracular": "24.10",
    "plucky": "25.04",
    "questing": "25.10",
    "resolute": "26.04",
}
DEBIAN_CODENAMES = {"stretch": "9", "buster": "10", "bullseye": "11", "bookworm": "12", "trixie": "13", "forky": "14"}
#: Derivatives of Debian that rebuild or hold back its packages, so that Debian's list does not apply to them.
NOT_DEBIAN = ("kali", "parrot", "devuan")


class UnknownPlatform(Exception):
    """The platform of a host cannot be detected; the text says why, in one line."""


def platform_of(fields: Mapping[str, str]) -> str:
    """
    Return the platform that ``os-release`` fields describe.

    :raises UnknownPlatform: if it is not a platform that can have a list.
    """
    family = fields.get("ID", "")
    rule = RULES.get(family)
    if rule is not None:
        return rule(fields)
    ubuntu, debian = fields.get("UBUNTU_CODENAME"), fields.get("DEBIAN_CODENAME")
    if family not in NOT_DEBIAN and ubuntu in UBUNTU_CODENAMES:
        return f"ubuntu-{UBUNTU_CODENAMES[ubuntu]}"
    if family not in NOT_DEBIAN and debian in DEBIAN_CODENAMES:
        return f"debian-{DEBIAN_CODENAMES[debian]}"
    if fields.get("ID_LIKE") or ubuntu or debian or not re.fullmatch(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*", family):
        raise _unknown(fields, f"it is only similar to {fields['ID_LIKE']}" if fields.get("ID_LIKE") else "not known")
    # A distribution of its own, which a server may have as a configured ecosystem; else the server refuses it.
    return f"{family}-{_version(fields, 9, 1)}" if fields.get("VERSION_ID") else family


def _version(fields: Mapping[str, str], parts: int, least: int) -> str:
    """
    Return the first parts of the version.

    :param parts: how many parts at most.
    :param least: how many parts the version must have.
    """
    value = fields.get("VERSION_ID", "")
    if not re.fullmatch(r"[0-9]+(\.[0-9a-z_]+)*", value) or value.count(".") + 1 < least:
        raise _unknown(fields, "its VERSION_ID is not a release" if value else "it has no VERSION_ID")
    return ".".join(value.split(".")[:parts])


def _release(family: str, parts: int, least: int | None = None) -> Callable[[Mapping[str, str]], str]:
    return lambda fields: f"{family}-{_version(fields, parts, least or parts)}"


def _rolling(name: str) -> Callable[[Mapping[str, str]], str]:
    return lambda fields: name


def _debian(fields: Mapping[str, str]) -> str:
    """Return Debian's release. Testing and unstable cannot be distinguished: neither has a version."""
    return _release("debian", 1)(fields) if fields.get("VERSION_ID") else "debian-unstable"


def _alpine(fields: Mapping[str, str]) -> str:
    return "alpine-edge" if "_alpha" in fields.get("VERSION_ID", "") else _release("alpine", 2)(fields)


def _centos(fields: Mapping[str, str]) -> str:
    return _release("centos-stream" if "Stream" in fields.get("NAME", "") else "centos", 1)(fields)


def _amazon(fields: Mapping[str, str]) -> str:
    return "amazon-1" if re.fullmatch(r"201\d\.\d\d", fields.get("VERSION_ID", "")) else _release("amazon", 1)(fields)


def _fedora(fields: Mapping[str, str]) -> str:
    marks = ("VERSION_ID", "VERSION", "PRETTY_NAME", "REDHAT_BUGZILLA_PRODUCT_VERSION")
    if any("rawhide" in fields.get(mark, "").lower() for mark in marks):
        raise _unknown(fields, "rawhide has no list")
    return _release("fedora", 1)(fields)


def _openeuler(fields: Mapping[str, str]) -> str:
    """Return openEuler's release; the service pack is in ``VERSION``: ``22.03 (LTS-SP3)``."""
    shown = " ".join(fields.get(name, "") for name in ("VERSION", "PRETTY_NAME"))
    pack = re.search(r"LTS-SP(\d+)", shown)
    return _release("openeuler", 2)(fields) + (f".sp{pack[1]}" if pack else "")


def _coreos(fields: Mapping[str, str]) -> str:
    """Return the release of Enterprise Linux that a Red Hat CoreOS is built from."""
    return _release("rhel", 1)({**fields, "VERSION_ID": fields.get("RHEL_VERSION", "")})


def _alpaquita(family: str) -> Callable[[Mapping[str, str]], str]:
    """Return the rule of a distribution of BellSoft, which has numbered releases and a rolling one, ``stream``."""

    def rule(fields: Mapping[str, str]) -> str:
        return f"{family}-stream" if fields.get("VERSION_ID") == "stream" else _release(family, 1)(fields)

    return rule


#: Distributions by another name, which are compared with the lists of the one that they are built from.
COMPARED_AS = ("raspbian", "rhcos")

RULES: dict[str, Callable[[Mapping[str, str]], str]] = {
    "debian": _debian,
    "raspbian": _debian,
    "ubuntu": _release("ubuntu", 2),
    "alpine": _alpine,
    "rhel": _release("rhel", 1),
    "centos": _centos,
    "rocky": _release("rocky", 1),
    "almalinux": _release("alma", 1),
    "ol": _release("oracle", 1),
    "amzn": _amazon,
    "fedora": _fedora,
    "sles": _release("sles", 2, least=1),
    "sled": _release("sles", 2, least=1),
    "sles_sap": _release("sles", 2, least=1),
    "opensuse-leap": _release("opensuse-leap", 2),
    "opensuse": _release("opensuse-leap", 2),
    "opensuse-tumbleweed": _rolling("opensuse-tumbleweed"),
    "sl-micro": _release("sl-micro", 2),
    "sle-micro": _release("sl-micro", 2),
    "sle-micro-rancher": _release("sl-micro", 2),
    "mageia": _release("mageia", 1),
    "openEuler": _openeuler,
    "rhcos": _coreos,
    "alpaquita": _alpaquita("alpaquita"),
    "bellsoft-hardened-containers": _alpaquita("bellsoft-hardened-containers"),
    "minimos": _rolling("minimos"),
    "photon": _release("photon", 2),
    "azurelinux": _release("azurelinux", 2),
    "mariner": _release("azurelinux", 2),
    "wolfi": _rolling("wolfi"),
    "chainguard": _rolling("chainguard"),
    "arch": _rolling("arch"),
}


def _unknown(fields: Mapping[str, str], why: str) -> UnknownPlatform:
    shown = " ".join(f"{name}={fields[name][:40]!r}" for name in ("ID", "VERSION_ID") if name in fields)
    return UnknownPlatform(f"unknown platform ({shown or 'no ID in os-release'}): {why}; set it with --platform")
