"""
Detection of third-party packages: those that were not built by the distribution.

The distribution's lists say nothing about them, so they are reported as not covered.
"""

from __future__ import annotations

from patches.platforms import Platform
from patches.scanner.inventory import Package

#: family → the prefixes, in lower case, of the vendor field of the distribution's own packages.
VENDORS = {
    "debian": ("debian",),
    "ubuntu": ("ubuntu", "debian", "canonical"),
    "centos": ("centos",),
    "centos-stream": ("centos",),
    "rhel": ("red hat",),
    "rocky": ("rocky",),
    "alma": ("almalinux",),
    "oracle": ("oracle",),
    "amazon": ("amazon",),
    "fedora": ("fedora",),
    "sles": ("suse",),
    "opensuse-leap": ("opensuse", "suse"),
    "opensuse": ("opensuse", "suse"),
    "photon": ("vmware", "broadcom"),
    "azurelinux": ("microsoft",),
}


def is_covered(package: Package, platform: str) -> bool:
    """
    Return whether the sources of a platform can have records of a package.

    A package of unknown origin, and each package of a family without an entry in ``VENDORS``, counts as covered.
    """
    own = VENDORS.get(Platform.from_name(platform).family)
    return own is None or package.vendor is None or package.vendor.lower().startswith(own)
