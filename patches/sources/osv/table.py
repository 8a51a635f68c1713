"""The table of the distributions whose records in OSV's format are read."""

from __future__ import annotations

from patches.sources.osv.rules import Ecosystem, Release
from patches.tracks import ESM, LTSS, SAP

_SUSE_IDS = ("SUSE-SU-", "openSUSE-SU-")
_SUSE_OTHERS = tuple(f"{name}-{kind}-" for name in ("SUSE", "openSUSE") for kind in ("RU", "FU", "OU"))

#: The products of Red Hat with longer support; ``enterprise_linux_eus`` and so on since release 10.
_SUPPORTED = "(?:rhel|enterprise_linux)"

#: The products of SUSE on a release, with ``{}`` for its version, and their tracks; the first that matches decides.
_SUSE_PRODUCTS = (
    ("Server {}(?:-LTSS)?-TERADATA", "teradata"),
    ("(?:Module for )?Live Patching {}", "live-patching"),
    ("(?:Server|Module for .+) {}", None),
    ("Server {}[- ]LTSS(?: Extended Security)?", LTSS),
    ("Server LTSS(?: Extended Security)? {}", LTSS),
    ("(?:Server|High Performance Computing) {}-ESPOS", "espos"),
    ("High Performance Computing {}-LTSS", LTSS),
    ("High Performance Computing {}", "hpc"),
    ("Server for SAP [Aa]pplications {}(?:-LTSS)?", SAP),
    ("High Availability(?: Extension)? {}", "ha"),
    ("Workstation Extension {}", "we"),
    ("Desktop {}", "desktop"),
)
_SERVICE_PACK, _DOTTED, _FIRST = r"(\d+) SP(\d+)", r"(1[6-9]\.\d+)", r"(\d+)"


def _suse_releases() -> tuple[Release, ...]:
    """Return the releases of SUSE; modules of all service packs of a release, ``… 12``, are none."""
    releases = [
        Release(rf"SUSE:Linux Enterprise {product.format(version)}", platform, track)
        for version, platform in ((_SERVICE_PACK, "sles-{0}.{1}"), (_DOTTED, "sles-{0}"), (_FIRST, "sles-{0}"))
        for product, track in _SUSE_PRODUCTS
        if version != _FIRST or "Module" not in product
    ]
    return (
        *releases,
        Release(rf"SUSE:Linux Enterprise Server {_FIRST}", "sles-{0}"),
        Release(r"SUSE:Linux (?:Enterprise )?Micro (?:Extras )?(\d+\.\d+)", "sl-micro-{0}"),
    )


TABLE = (
    Ecosystem(
        "Debian",
        (Release(r"Debian:(\d+(?:\.\d+)?)", "debian-{0}"),),
        "dpkg",
        "source",
        ids=("DEBIAN-CVE-", "DSA-", "DLA-", "DTSA-"),
        cve_prefix="DEBIAN-",
        cves=("upstream",),
        page="https://security-tracker.debian.org/tracker/{name}",
    ),
    Ecosystem(
        "Ubuntu",
        (
            Release(r"Ubuntu:(\d\d\.\d\d)(?::LTS)?", "ubuntu-{0}"),
            Release(r"Ubuntu:Pro:(\d\d\.\d\d)(?::LTS)?", "ubuntu-{0}", ESM),
            Release(r"Ubuntu:Pro:FIPS(?:-updates|-preview)?:(\d\d\.\d\d)(?::LTS)?", "ubuntu-{0}", "fips"),
            Release(r"Ubuntu:Pro:Realtime:(\d\d\.\d\d)(?::LTS)?", "ubuntu-{0}", "realtime"),
            Release(r"Ubuntu:Pro:(\d\d\.\d\d)(?::LTS)?:Realtime(?::Kernel)?", "ubuntu-{0}", "realtime"),
        ),
        "dpkg",
        "source",
        ids=("UBUNTU-CVE-",),
        cve_prefix="UBUNTU-",
        repeats=("USN-", "LSN-"),
        cves=("upstream",),
        page="https://ubuntu.com/security/{name}",
        follows=True,
        others=(r"Ubuntu:(?:Pro:)?(?:[\w-]+:)?\d\d\.\d\d(?::LTS)?:for:.+",),
    ),
    Ecosystem(
        "Alpine",
        (Release(r"Alpine:v(\d+\.\d+)", "alpine-{0}"), Release("Alpine:edge", "alpine-edge")),
        "apk",
        "source",
        ids=("ALPINE-CVE-",),
        cve_prefix="ALPINE-",
        cves=("upstream",),
        page="https://security.alpinelinux.org/vuln/{name}",
    ),
    Ecosystem("Wolfi", (Release("Wolfi", "wolfi"),), "apk", "source", ids=("CGA-",)),
    Ecosystem("Chainguard", (Release("Chainguard", "chainguard"),), "apk", "source", ids=("CGA-",)),
    Ecosystem(
        "AlmaLinux",
        (Release(r"AlmaLinux:(\d+)", "alma-{0}"),),
        "rpm",
        "binary",
        ids=("ALSA-",),
        harmless=("ALBA-", "ALEA-"),
        cves=("related",),
        home="https://errata.almalinux.org/",
        rated_in_summary=True,
    ),
    Ecosystem(
        "Rocky Linux",
        (Release(r"Rocky Linux:(\d+)", "rocky-{0}"),),
        "rpm",
        "source",
        ids=("RLSA-", "RXSA-"),
        harmless=("RLBA-", "RLEA-", "RXBA-", "RXEA-"),
        page="https://errata.rockylinux.org/{name}",
        rated_in_summary=True,
    ),
    Ecosystem(
        "Red Hat",
        (
            Release(r"Red Hat:enterprise_linux:(\d+)(?:\.\d+)?(?:::[\w-]+)?", "rhel-{0}"),
            Release(rf"Red Hat:{_SUPPORTED}_(eus|aus|tus|e4s):(\d+)\.(\d+)(?:::[\w-]+)?", "rhel-{1}", "{0}-{1}.{2}"),
            Release(rf"Red Hat:{_SUPPORTED}_els:(\d+)(?:\.\d+)?(?:::[\w-]+)?", "rhel-{0}", "els"),
        ),
        "rpm",
        "binary",
        ids=("RHSA-", "RHBA-", "RHEA-"),
        page="https://access.redhat.com/errata/{name}",
        rated_in_summary=True,
        others=(r"Red Hat:(?!enterprise_linux:).+",),
    ),
    Ecosystem(
        "SUSE",
        _suse_releases(),
        "rpm",
        "source",
        ids=_SUSE_IDS,
        harmless=_SUSE_OTHERS,
        home="https://www.suse.com/support/update/",
        others=(r"SUSE:(?!Linux Enterprise Server \S+(?: SP\S*)?\Z|Linux (?:Enterprise )?Micro \S+\Z).+",),
    ),
    Ecosystem(
        "openSUSE",
        (
            Release(r"openSUSE:Leap (\d+\.\d+)", "opensuse-leap-{0}"),
            Release("openSUSE:Tumbleweed", "opensuse-tumbleweed"),
        ),
        "rpm",
        "source",
        ids=_SUSE_IDS,
        harmless=_SUSE_OTHERS,
        others=(r"openSUSE:(?!Leap \S+\Z|Tumbleweed).+",),
    ),
    Ecosystem(
        "Mageia",
        (Release(r"Mageia:(\d+)", "mageia-{0}"),),
        "rpm",
        "source",
        ids=("MGASA-",),
        harmless=("MGAA-",),
        page="https://advisories.mageia.org/{name}.html",
    ),
    Ecosystem("Azure Linux", (Release(r"Azure Linux:(\d+)", "azurelinux-{0}.0"),), "rpm", "source", ids=("AZL-",)),
    Ecosystem(
        "openEuler",
        (
            Release(r"openEuler:(\d+\.\d+)(?:-LTS)?", "openeuler-{0}"),
            Release(r"openEuler:(\d+\.\d+)(?:-LTS)?-SP(\d+)", "openeuler-{0}.sp{1}"),
        ),
        "rpm",
        "source",
        ids=("OESA-",),
        others=(r"openEuler:\d+\.\d+-LTS-Next",),
    ),
)
