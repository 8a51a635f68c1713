"""The namespaces of platforms in Clair: a table, a rule for other namespaces, and the conversion in both directions."""

from __future__ import annotations

from patches.platforms import InvalidPlatform, Platform

#: The namespaces that Clair fills by itself (there is no ``ubuntu:13.10``); the rule below covers others.
NAMESPACES = {
    "alpine-3.3": "alpine:v3.3",
    "alpine-3.4": "alpine:v3.4",
    "alpine-3.5": "alpine:v3.5",
    "alpine-3.6": "alpine:v3.6",
    "alpine-3.7": "alpine:v3.7",
    "alpine-3.8": "alpine:v3.8",
    "amazon-1": "amzn:2018.03",
    "amazon-2": "amzn:2",
    "centos-5": "centos:5",
    "centos-6": "centos:6",
    "centos-7": "centos:7",
    "debian-8": "debian:8",
    "debian-9": "debian:9",
    "debian-10": "debian:10",
    "debian-unstable": "debian:unstable",
    "oracle-5": "oracle:5",
    "oracle-6": "oracle:6",
    "oracle-7": "oracle:7",
    "ubuntu-12.04": "ubuntu:12.04",
    "ubuntu-12.10": "ubuntu:12.10",
    "ubuntu-13.04": "ubuntu:13.04",
    "ubuntu-14.04": "ubuntu:14.04",
    "ubuntu-14.10": "ubuntu:14.10",
    "ubuntu-15.04": "ubuntu:15.04",
    "ubuntu-15.10": "ubuntu:15.10",
    "ubuntu-16.04": "ubuntu:16.04",
    "ubuntu-16.10": "ubuntu:16.10",
    "ubuntu-17.04": "ubuntu:17.04",
    "ubuntu-17.10": "ubuntu:17.10",
    "ubuntu-18.04": "ubuntu:18.04",
}
_PLATFORMS = {namespace: platform for platform, namespace in NAMESPACES.items()}

#: family → its name in Clair, where that differs
_CLAIR_NAMES = {"amazon": "amzn", "alma": "almalinux"}
_FAMILIES = {name: family for family, name in _CLAIR_NAMES.items()}


def namespace_of(platform: str) -> str:
    """
    Return the namespace in which a Clair may have a platform's list.

    :raises InvalidPlatform: if the platform name is not valid.
    """
    if platform in NAMESPACES:
        return NAMESPACES[platform]
    parsed = Platform.from_name(platform)
    family, version = _CLAIR_NAMES.get(parsed.family, parsed.family), parsed.version
    if family == "alpine" and version[:1].isdigit():
        version = f"v{version}"
    return f"{family}:{version}" if version else family


def platform_of(namespace: str) -> str | None:
    """
    Return the platform of a namespace.

    :return: ``None`` if no platform name converts back to this namespace.
    """
    if namespace in _PLATFORMS:
        return _PLATFORMS[namespace]
    family, _, version = namespace.partition(":")
    family = _FAMILIES.get(family, family)
    if family == "alpine":
        version = version.removeprefix("v")
    platform = f"{family}-{version}" if version else family
    try:
        return platform if namespace_of(platform) == namespace else None
    except InvalidPlatform:
        return None
