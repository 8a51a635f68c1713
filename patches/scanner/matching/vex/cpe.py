"""
The platforms that CPE names of operating systems stand for.

Source: *Common Platform Enumeration: Naming*, NISTIR 7695, whose two bindings are read; the names are those of
``CPE_NAME`` in the distributions' ``os-release``, and of NVD's dictionary.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

#: vendor and product → family
_FAMILIES = {
    ("almalinux", "almalinux"): "alma",
    ("alma", "linux"): "alma",
    ("alpinelinux", "alpine_linux"): "alpine",
    ("amazon", "amazon_linux"): "amazon",
    ("amazon", "linux"): "amazon",
    ("canonical", "ubuntu_linux"): "ubuntu",
    ("debian", "debian_linux"): "debian",
    ("fedoraproject", "fedora"): "fedora",
    ("mageia", "mageia"): "mageia",
    ("openeuler", "openeuler"): "openeuler",
    ("opensuse", "leap"): "opensuse-leap",
    ("oracle", "linux"): "oracle",
    ("redhat", "enterprise_linux"): "rhel",
    ("resf", "rocky_linux"): "rocky",
    ("rocky", "rocky"): "rocky",
    ("rocky", "rocky_linux"): "rocky",
    ("suse", "sles"): "sles",
    ("suse", "suse_linux_enterprise_server"): "sles",
}
#: Products of Red Hat whose builds may be installed where longer support was bought, and nowhere else.
_EXTENDED = re.compile(r"(rhel|enterprise_linux)_(eus|aus|tus|e4s|els)\Z")
#: The families whose platforms are major releases.
_MAJOR = ("alma", "debian", "oracle", "rhel", "rocky")
_SERVICE_PACK = re.compile(r"sp(\d+)\Z")
_ANY = ("", "*", "-")
_VERSION = re.compile(r"[a-z0-9][a-z0-9._~+]*\Z")


def platform_of_cpe(cpe: str, of_build: bool = False) -> str | None:
    """
    Return the platform that a CPE name stands for; ``None`` if it is none that is known, or names no release.

    :param cpe: as a URI, ``cpe:/o:redhat:enterprise_linux:9::baseos``, or as a formatted string,
        ``cpe:2.3:o:suse:sles:15:sp4:*:*:*:*:*:*``.
    :param of_build: whether one build is meant: then a product of longer support stands for its platform, too, whose
        other hosts do not have that build.
    """
    text = cpe.lower()
    if text.startswith("cpe:/"):
        parts = [unquote(part) for part in text.removeprefix("cpe:/").split(":")]
    elif text.startswith("cpe:2.3:"):
        parts = [part.replace("\\", "") for part in re.split(r"(?<!\\):", text.removeprefix("cpe:2.3:"))]
    else:
        return None
    part, vendor, product, version, update = (*parts[:5], *[""] * (5 - len(parts)))
    if of_build and vendor == "redhat" and _EXTENDED.match(product):
        product = "enterprise_linux"
    family = _FAMILIES.get((vendor, product))
    if part not in ("o", "a") or family is None or version in _ANY or not _VERSION.match(version):
        return None
    if family in _MAJOR:
        version = version.partition(".")[0]
    pack = _SERVICE_PACK.match(update) if family == "sles" else None
    return f"{family}-{version}.{pack[1]}" if pack else f"{family}-{version}"
