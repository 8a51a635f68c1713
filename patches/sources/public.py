"""
The best public feed of each family of platforms, for a server that has no configured source.

The feeds were chosen because they are the vendor's own, complete, and bounded in cost; the reference of sources
describes the limits of each.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from patches.interfaces import ISource
from patches.platforms import InvalidPlatform, Platform
from patches.sources.config import SourceConfig
from patches.sources.context import SourceContext
from patches.sources.epss import source as epss
from patches.sources.feed import FeedSource
from patches.sources.kev import source as kev
from patches.sources.registry import create_source

BUCKET = "https://osv-vulnerabilities.storage.googleapis.com"
_SUSE = "https://ftp.suse.com/pub/projects/security/osv.tar.bz2"

_AMAZON = "https://cdn.amazonlinux.com"

#: platform, or family → its source; a source of files that name no platform has its platform configured
PUBLIC = {
    "debian": SourceConfig(
        "debian-tracker", "debian-tracker", ("https://security-tracker.debian.org/tracker/data/json",)
    ),
    "ubuntu": SourceConfig("ubuntu-osv", "osv", ("https://security-metadata.canonical.com/osv/osv-all.tar.xz",)),
    "alpine": SourceConfig("alpine-secdb", "secdb", ("https://secdb.alpinelinux.org",)),
    "wolfi": SourceConfig("wolfi-secdb", "secdb", ("https://packages.wolfi.dev/os/security.json",), ("wolfi",)),
    "chainguard": SourceConfig(
        "chainguard-secdb", "secdb", ("https://packages.cgr.dev/chainguard/security.json",), ("chainguard",)
    ),
    "alma": SourceConfig("alma-osv", "osv", (BUCKET,), ecosystems=("AlmaLinux",)),
    "rocky": SourceConfig("rocky-osv", "osv", (BUCKET,), ecosystems=("Rocky Linux",)),
    "rhel": SourceConfig("redhat-vex", "csaf-vex", ("https://security.access.redhat.com/data/csaf/v2/vex",)),
    "amazon-2": SourceConfig(
        "amazon-2-updateinfo",
        "updateinfo",
        (f"{_AMAZON}/2/core/latest/x86_64/mirror.list", f"{_AMAZON}/2/extras-catalog-x86_64.json"),
        ("amazon-2",),
    ),
    "amazon-2023": SourceConfig(
        "amazon-2023-updateinfo",
        "updateinfo",
        (f"{_AMAZON}/al2023/core/mirrors/latest/x86_64/mirror.list",),
        ("amazon-2023",),
    ),
    "sles": SourceConfig("suse-osv", "osv", (_SUSE,)),
    "sl-micro": SourceConfig("suse-osv", "osv", (_SUSE,)),
    "opensuse-leap": SourceConfig("suse-osv", "osv", (_SUSE,)),
    "opensuse": SourceConfig("suse-osv", "osv", (_SUSE,)),
    "azurelinux": SourceConfig("azurelinux-osv", "osv", (BUCKET,), ecosystems=("Azure Linux",)),
    "mageia": SourceConfig("mageia-osv", "osv", (BUCKET,), ecosystems=("Mageia",)),
    "openeuler": SourceConfig("openeuler-osv", "osv", (BUCKET,), ecosystems=("openEuler",)),
}


#: Read with any of those, for all platforms. NVD is not among them: its first reading fetches hundreds of megabytes.
ENRICHING = (SourceConfig("kev", "kev", (kev.LOCATION,)), SourceConfig("epss", "epss", (epss.LOCATION,)))


def public_source(platform: str) -> SourceConfig | None:
    """Return the public source of a platform; ``None`` if there is none, or the platform name is not valid."""
    try:
        return PUBLIC.get(platform) or PUBLIC.get(Platform.from_name(platform).family)
    except InvalidPlatform:
        return None


class PublicSources:
    """
    The public sources, created when they are needed; see :class:`patches.server.refresh.schedule.PublicSourceProvider`.

    :param context: passed to each source.
    """

    def __init__(self, context: SourceContext) -> None:
        self._context = context
        self._made: dict[str, FeedSource] = {}
        self._enriching: tuple[ISource, ...] = ()

    def has(self, platform: str) -> bool:
        """Return whether there is a public source for a platform of this name."""
        return public_source(platform) is not None

    def sources(self, platforms: Collection[str]) -> Mapping[str, ISource]:
        """Return the sources of these platforms, by platform; from now on they read these platforms only."""
        configs = {platform: config for platform in platforms if (config := public_source(platform)) is not None}
        for name in self._made.keys() - {config.name for config in configs.values()}:
            del self._made[name]
        found = {platform: self._source(config) for platform, config in configs.items()}
        for source in self._made.values():
            source.wanted = frozenset(name for name, each in found.items() if each is source)
        return found

    def enriching(self) -> Sequence[ISource]:
        """Return the sources about all platforms that are read with those; the same objects each time."""
        self._enriching = self._enriching or tuple(create_source(each, self._context, None) for each in ENRICHING)
        return self._enriching

    def _source(self, config: SourceConfig) -> FeedSource:
        if config.name not in self._made:
            source = create_source(config, self._context, frozenset())
            assert isinstance(source, FeedSource)  # noqa: S101 - the table above has feeds only
            self._made[config.name] = source
        return self._made[config.name]
