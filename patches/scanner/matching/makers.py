"""
The table of makers: by which vendors, origins and version marks packages are known to be the distribution's or foreign.

A maker that is in neither table is unknown, as a company's mirror of the distribution is: its packages are compared.
"""

from __future__ import annotations

import re

from attrs import field, frozen

#: family → the prefixes, in lower case, of the vendors and origins of the distribution's own packages.
OWN = {
    "debian": ("debian", "raspbian"),
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
    "sl-micro": ("suse",),
    "opensuse-leap": ("opensuse", "suse"),
    "opensuse": ("opensuse", "suse"),
    "photon": ("vmware", "broadcom"),
    "azurelinux": ("microsoft",),
    "mageia": ("mageia",),
    "openeuler": ("openeuler",),
}


#: Makers whose names begin like that of a distribution.
_NOT_OWN = re.compile(r"Fedora Copr|Oracle and/or its affiliates", re.IGNORECASE)


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def _whole_words(pattern: str) -> re.Pattern[str]:
    """Compile the beginning of an origin: it ends with the origin, or where a word of it ends."""
    return re.compile(rf"(?:{pattern})(?:(?<![a-z0-9])|(?![a-z0-9]))", re.IGNORECASE)


@frozen
class Maker:
    """
    A maker of packages that no distribution's list is about.

    :ivar name: its name for users.
    :ivar origin: matches the start of the vendor of its rpms, or of the ``Origin`` of its apt repository.
    :ivar authority: where the mark is published.
    """

    name: str
    origin: re.Pattern[str] = field(converter=_whole_words)
    authority: str


MAKERS = (
    Maker("Copr", r"(?:Fedora )?Copr", "copr.fedorainfracloud.org: Vendor Fedora Copr - user NAME"),
    Maker("a personal package archive", r"LP-PPA-", "Launchpad: Origin of every PPA"),
    Maker("EPEL", r"Fedora (?:Project|EPEL)", "EPEL: Vendor of its rpms; on Fedora it is the distribution's own"),
    Maker("the Open Build Service", r"obs://", "Open Build Service: Vendor of projects that set none"),
    Maker("RPM Fusion", r"RPM ?Fusion", "rpmfusion.org: Vendor"),
    Maker("ELRepo", r"(?:The )?ELRepo", "elrepo.org: Vendor"),
    Maker("Remi's repository", r"Remi", "rpms.remirepo.net: Vendor"),
    Maker("Packman", r"http://packman|packman", "packman.links2linux.de: Vendor"),
    Maker("deb.sury.org", r"deb\.sury\.org", "packages.sury.org: Origin"),
    Maker("Docker", r"Docker", "download.docker.com: Origin, Vendor"),
    Maker("nginx.org", r"nginx", "nginx.org/packages: Origin nginx; Vendor NGINX Packaging <nginx-packaging@f5.com>"),
    Maker(
        "NodeSource", r"(?:Node ?Source|\. nodistro|nsolid)", "deb.nodesource.com: Origin; rpm.nodesource.com: Vendor"
    ),
    Maker("PostgreSQL", r"(?:apt\.postgresql\.org|PostgreSQL|PGDG)", "apt.postgresql.org, yum.postgresql.org"),
    Maker("MariaDB", r"MariaDB", "mariadb.org repositories: Origin, Vendor"),
    Maker("MySQL", r"(?:MySQL|Oracle and/or its affiliates)", "repo.mysql.com: Origin, Vendor"),
    Maker("Percona", r"Percona", "repo.percona.com: Origin, Vendor"),
    Maker("MongoDB", r"MongoDB", "repo.mongodb.org: Origin, Vendor"),
    Maker("Elastic", r"Elastic(?:search)?", "artifacts.elastic.co: Origin, Vendor"),
    Maker("Grafana", r"(?:\. )?grafana", "apt.grafana.com: Origin; rpm.grafana.com: Vendor"),
    Maker("InfluxData", r"InfluxData", "repos.influxdata.com: Origin, Vendor"),
    Maker("HashiCorp", r"HashiCorp", "rpm.releases.hashicorp.com: Vendor"),
    Maker("Google", r"(?:Google|cloud-sdk|kubernetes-|gcsfuse)", "dl.google.com, packages.cloud.google.com"),
    Maker("Kubernetes", r"(?:obs://build\.opensuse\.org/isv:kubernetes|Kubernetes)", "pkgs.k8s.io: Origin, Vendor"),
    Maker("Microsoft", r"(?:microsoft|code stable|edge stable|vscode)", "packages.microsoft.com: Origin, Vendor"),
    Maker("GitHub", r"(?:github|gh stable)", "cli.github.com: Origin"),
    Maker(
        "GitLab", r"(?:GitLab|packages\.gitlab\.com|https://packages\.gitlab)", "packages.gitlab.com: Origin, Vendor"
    ),
    Maker("packagecloud", r"https?://packagecloud\.io|packagecloud\.io", "packagecloud.io: Origin"),
    Maker("Raspberry Pi", r"Raspberry Pi", "archive.raspberrypi.com: Origin Raspberry Pi Foundation"),
    Maker("Pop!_OS", r"(?:pop-os|system76)", "apt.pop-os.org: Origin"),
    Maker("Linux Mint", r"linuxmint", "packages.linuxmint.com: Origin"),
    Maker("elementary", r"elementary", "packages.elementary.io: Origin"),
    Maker("Proxmox", r"Proxmox", "download.proxmox.com: Origin"),
    Maker("Zabbix", r"Zabbix", "repo.zabbix.com: Origin, Vendor"),
    Maker("Datadog", r"Datadog", "apt.datadoghq.com, yum.datadoghq.com: Origin, Vendor"),
    Maker("Puppet", r"(?:Puppetlabs|Puppet Labs|Puppet,? Inc|Perforce)", "apt.puppet.com, yum.puppet.com"),
    Maker("Jenkins", r"jenkins\.io", "pkg.jenkins.io: Origin"),
    Maker("Tailscale", r"Tailscale", "pkgs.tailscale.com: Origin"),
    Maker("WineHQ", r"(?:dl\.winehq|winehq)", "dl.winehq.org: Origin"),
    Maker("Opera", r"Opera", "deb.opera.com: Origin"),
    Maker("Brave", r"Brave", "brave-browser-apt-release: Origin"),
    Maker("Spotify", r"Spotify", "repository.spotify.com: Origin"),
    Maker("Slack", r"Slack", "packagecloud.io/slacktechnologies: Vendor"),
    Maker("NVIDIA", r"NVIDIA", "developer.download.nvidia.com: Origin, Vendor"),
    Maker("Intel", r"Intel", "repositories.intel.com: Origin, Vendor"),
    Maker("AMD", r"(?:AMD|repo\.radeon\.com)", "repo.radeon.com: Origin"),
    Maker("VMware", r"VMware", "packages.vmware.com: Origin, Vendor"),
    Maker("CloudLinux", r"CloudLinux", "cloudlinux.com: Vendor"),
    Maker("Amazon", r"Amazon", "Amazon Corretto and agents: Origin, Vendor"),
)

#: A vendor's own mark in the version: pattern, maker, the families that the mark is limited to, authority.
VERSION_MARKS = (
    (_compiled(r"\+rpt\d"), "Raspberry Pi", (), "archive.raspberrypi.com: versions such as 1:6.6.31-1+rpt1"),
    (
        _compiled(r"-76\d{6}\.\d{12}"),
        "Pop!_OS",
        ("ubuntu",),
        "System76's kernels: 6.9.3-76060903.202405300957~1726766035~22.04~…",
    ),
    (
        _compiled(r"pop\d+~\d{10}"),
        "Pop!_OS",
        ("ubuntu",),
        "apt.pop-os.org: 1.0pop1~1640000000~22.04~…",
    ),
    (_compiled(r"\.pgdg\d"), "PostgreSQL", (), "apt.postgresql.org: versions such as 16.3-1.pgdg120+1"),
    (_compiled(r"\dPGDG\b"), "PostgreSQL", (), "yum.postgresql.org: releases such as 1PGDG.rhel9"),
    (
        _compiled(r"\+0~\d{8,14}\.\d+\+(?:debian|ubuntu)"),
        "deb.sury.org",
        (),
        "packages.sury.org: versions such as 8.2.10-2+0~20230926.20+debian12~1.gbp6f62e1",
    ),
    (
        _compiled(r"\+deb\.sury\.org"),
        "deb.sury.org",
        (),
        "ppa:ondrej: 8.1.2-1+ubuntu20.04.1+deb.sury.org+1",
    ),
    (_compiled(r"\dnodesource"), "NodeSource", (), "deb.nodesource.com, rpm.nodesource.com: 18.18.2-1nodesource1"),
    (_compiled(r"\+maria~"), "MariaDB", (), "mariadb.org repositories: versions such as 1:10.11.2+maria~deb12"),
    (
        _compiled(r"-\d+~(?:stretch|buster|bullseye|bookworm|trixie|xenial|bionic|focal|jammy|noble)\Z"),
        "nginx.org, Docker and others",
        ("debian", "ubuntu"),
        "nginx.org/packages: versions such as 1.28.0-1~bookworm; the distributions write +deb12u1 and ~deb12u1",
    ),
    (_compiled(r"\.ngx\b"), "nginx.org", (), "nginx.org/packages: releases such as 1.el9.ngx"),
    (_compiled(r"~ppa\d"), "a personal package archive", (), "Launchpad help: version numbers of a PPA"),
    (_compiled(r"\.elrepo\b"), "ELRepo", (), "elrepo.org: dist tag"),
    (_compiled(r"\.remi\b"), "Remi's repository", (), "rpms.remirepo.net: dist tag"),
    (_compiled(r"-pve\d*\b|\+pve\d|~pve\d|\+pmx\d"), "Proxmox", (), "download.proxmox.com: version numbers"),
)


def maker_of(origin: str | None, version: str, family: str) -> str | None:
    """
    Return the maker that a package is known to be from; ``None``: it is the distribution's own, or not known.

    :param origin: the vendor of an rpm, or the origin of a Debian package.
    """
    for pattern, maker, families, _ in VERSION_MARKS:
        if pattern.search(version) and (not families or family in families):
            return maker
    makers = [_maker_of_origin(each, family) for each in origin.split("; ")] if origin else [None]
    return None if None in makers else makers[0]


def _maker_of_origin(origin: str, family: str) -> str | None:
    if is_own(origin, family):
        return None
    found = next((maker.name for maker in MAKERS if maker.origin.match(origin)), None)
    return found or next((other for other in OWN if other != family and is_own(origin, other)), None)


def is_own(origin: str, family: str) -> bool:
    """Return whether a vendor or an origin is that of the distribution itself, and of none of its other projects."""
    return origin.lower().startswith(OWN.get(family, ())) and not _NOT_OWN.match(origin)
