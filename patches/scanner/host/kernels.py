"""The kernels of a host: the installed ones, the running one, and whether a newer one waits for a reboot."""

from __future__ import annotations

import re
from collections.abc import Iterable

from attrs import frozen

from patches.scanner.inventory import Inventory, Package
from patches.versions import InvalidVersion, ordering

#: Debian and Ubuntu: a package for one kernel has the release in its name; ``linux-image-amd64`` is for no release.
_DPKG = re.compile(
    r"linux-(?P<part>image|image-unsigned|(?:modules|objects|signatures)(?:-[a-z0-9]+)*?)-(?P<release>\d+\.\d[\w.+~-]*)\Z"
)
#: Red Hat, SUSE, Oracle, Amazon: several versions of one package are installed side by side.
_RPM = re.compile(r"kernel(?:-(?:uek|rt|64k|default|debug|azure|kvmsmall|lpae))*(?:-(?:core|modules(?:-\w+)*))*\Z")
_RPM_IMAGES = re.compile(r"kernel(?:-(?:uek|rt|64k|default|azure|kvmsmall|lpae))*(?:-core)?\Z")
#: SUSE: ``kernel-default`` 6.4.0-150600.23.25.1 is the kernel ``6.4.0-150600.23.25-default``.
_SUSE = re.compile(r"kernel-(default|azure|kvmsmall|lpae)")
#: Alpine: ``linux-lts`` 6.6.31-r0 is the kernel ``6.6.31-0-lts``.
_APK = re.compile(r"linux-(lts|virt|edge|stable|rpi\d?|asahi|openpax|gcp|hardened|vanilla)\Z")


@frozen
class Kernels:
    """
    The kernels of a host, each as its release, which is the output of ``uname -r``.

    :ivar installed: the installed releases, the oldest first; never empty.
    :ivar running: the running release; ``None`` if it is not known, as for a mounted image.
    """

    installed: tuple[str, ...]
    running: str | None

    @property
    def reboot_pending(self) -> bool | None:
        """Whether the running kernel is not the newest installed one; ``None`` if the running one is not known."""
        return None if self.running is None else self.running != self.installed[-1]


def kernels_of(inventory: Inventory, running: str | None) -> Kernels | None:
    """
    Return the kernels of a host; ``None`` if no kernel is installed, as in a container.

    :param running: the output of ``uname -r`` on the host, or ``None``. A kernel that is not from a package of the host
        does not count as running: a container, for example, runs the kernel of its host.
    """
    images = {}
    for package in inventory.packages:
        release = kernel_release(package, inventory.scheme)
        if release is not None and _is_image(package, inventory.scheme):
            images[release] = package.version
    if not images:
        return None
    releases = tuple(_oldest_first(images, inventory.scheme))
    return Kernels(releases, next((release for release in releases if _is(release, running)), None))


def kernel_release(package: Package, scheme: str) -> str | None:
    """Return the release of the kernel to which a package belongs; ``None`` if it does not belong to one kernel."""
    if scheme == "dpkg":
        found = _DPKG.match(package.name)
        return found["release"] if found else None
    if scheme == "rpm":
        return _rpm_release(package) if _RPM.match(package.name) else None
    found = _APK.match(package.name)
    return f"{package.version.replace('-r', '-', 1)}-{found[1]}" if found else None


def _rpm_release(package: Package) -> str:
    version = package.version.partition(":")[2] or package.version
    suse = _SUSE.match(package.name)
    return f"{version.rpartition('.')[0]}-{suse[1]}" if suse else f"{version}.{package.arch}"


def _is(release: str, running: str | None) -> bool:
    """
    Return whether a release is the running one.

    :param running: the output of ``uname -r``, which may end with a variant (``+64k``) or lack the architecture.
    """
    return running is not None and running.partition("+")[0] in (release, release.rpartition(".")[0])


def running_packages(inventory: Inventory, kernels: Kernels | None) -> dict[Package, bool]:
    """Return for each package of a kernel whether that kernel is running; empty if the running one is not known."""
    if kernels is None or kernels.running is None:
        return {}
    told = ((package, kernel_release(package, inventory.scheme)) for package in inventory.packages)
    return {package: release == kernels.running for package, release in told if release is not None}


def old_kernel_packages(inventory: Inventory, kernels: Kernels | None) -> frozenset[Package]:
    """
    Return the packages of kernels that are older than the running one, as distributions keep some on purpose.

    A kernel that is newer than the running one is not old: it runs after the next start.
    """
    if kernels is None or kernels.running is None:
        return frozenset()
    old = set(kernels.installed[: kernels.installed.index(kernels.running)])
    return frozenset(package for package in inventory.packages if kernel_release(package, inventory.scheme) in old)


def _is_image(package: Package, scheme: str) -> bool:
    if scheme == "dpkg":
        found = _DPKG.match(package.name)
        return found is not None and found["part"].startswith("image")
    return scheme != "rpm" or _RPM_IMAGES.match(package.name) is not None


def _oldest_first(images: dict[str, str], scheme: str) -> Iterable[str]:
    sort_key = ordering(scheme)
    try:
        return sorted(images, key=lambda release: sort_key(images[release]) if sort_key else release)
    except InvalidVersion:
        return sorted(images)
