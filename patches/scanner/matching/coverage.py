"""Which installed packages came from elsewhere than the distribution, so that its lists say nothing about them."""

from __future__ import annotations

from patches.platforms import Platform
from patches.scanner.inventory import Package

#: family → what the vendor of its own packages begins with, in lower case.
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
    """Tell whether the sources of a platform can know a package; where nothing is known of its origin they can."""
    own = VENDORS.get(Platform.from_name(platform).family)
    return own is None or package.vendor is None or package.vendor.lower().startswith(own)
