"""
The end of support of each platform. After it the lists get no new records, so an outcome without findings means little.

Source: the release pages of the distributions; the month in which security support for everyone ends.
"""

from __future__ import annotations

from collections.abc import Container
from datetime import date

#: platform → the last month with support, as ``YYYY-MM``. A platform that is not listed here has no known end.
ENDS = {
    "debian-8": "2020-06", "debian-9": "2022-06", "debian-10": "2024-06", "debian-11": "2026-08",
    "debian-12": "2028-06", "debian-13": "2030-06",
    "ubuntu-12.04": "2017-04", "ubuntu-14.04": "2019-04", "ubuntu-16.04": "2021-04", "ubuntu-18.04": "2023-05",
    "ubuntu-20.04": "2025-05", "ubuntu-22.04": "2027-04", "ubuntu-24.04": "2029-05", "ubuntu-22.10": "2023-07",
    "ubuntu-23.04": "2024-01", "ubuntu-23.10": "2024-07", "ubuntu-24.10": "2025-07", "ubuntu-25.04": "2026-01",
    "ubuntu-25.10": "2026-07",
    "rhel-5": "2017-03", "rhel-6": "2020-11", "rhel-7": "2024-06", "rhel-8": "2029-05", "rhel-9": "2032-05",
    "centos-5": "2017-03", "centos-6": "2020-11", "centos-7": "2024-06", "centos-8": "2021-12",
    "centos-stream-8": "2024-05", "centos-stream-9": "2027-05",
    "rocky-8": "2029-05", "rocky-9": "2032-05",
    "alma-8": "2029-05", "alma-9": "2032-05",
    "oracle-5": "2017-06", "oracle-6": "2021-03", "oracle-7": "2024-12", "oracle-8": "2029-07", "oracle-9": "2032-06",
    "amazon-1": "2023-12", "amazon-2": "2026-06",
    "fedora-38": "2024-05", "fedora-39": "2024-11", "fedora-40": "2025-05", "fedora-41": "2025-12",
    "fedora-42": "2026-05",
    "alpine-3.8": "2020-05", "alpine-3.9": "2020-11", "alpine-3.10": "2021-05", "alpine-3.11": "2021-11",
    "alpine-3.12": "2022-05", "alpine-3.13": "2022-11", "alpine-3.14": "2023-05", "alpine-3.15": "2023-11",
    "alpine-3.16": "2024-05", "alpine-3.17": "2024-11", "alpine-3.18": "2025-05", "alpine-3.19": "2025-11",
    "alpine-3.20": "2026-04",
    "opensuse-leap-15.3": "2022-12", "opensuse-leap-15.4": "2023-12", "opensuse-leap-15.5": "2024-12",
    "opensuse-leap-15.6": "2026-04",
    "sles-12.5": "2024-10", "sles-15.3": "2022-12", "sles-15.4": "2023-12", "sles-15.5": "2024-12",
    "sles-15.6": "2025-12",
    "photon-3.0": "2024-03",
    "azurelinux-2.0": "2025-07",
}  # fmt: skip

#: The same for subscribers of Ubuntu Pro, whose hosts have the track ``esm``.
ENDS_ESM = {"ubuntu-14.04": "2024-04", "ubuntu-16.04": "2026-04", "ubuntu-18.04": "2028-04", "ubuntu-20.04": "2030-04"}


def support_ended(platform: str, today: date, tracks: Container[str] = (), told: str | None = None) -> str | None:
    """
    Return the month in which the support of a platform ended; ``None`` if it has not ended or the end is not known.

    :param tracks: the tracks that are enabled on the host.
    :param told: the month in the host's own ``os-release`` (``SUPPORT_END``), which takes precedence over the tables.
    """
    end = told or (ENDS_ESM.get(platform) if "esm" in tracks else None) or ENDS.get(platform)
    return end if end is not None and end < f"{today:%Y-%m}" else None
