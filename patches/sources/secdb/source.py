"""The secdb of Alpine, Wolfi and Chainguard as a source: two files per branch, or one of a rolling distribution."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from patches.interfaces import ISource
from patches.sources.config import SourceConfig
from patches.sources.context import VENDOR, SourceContext, SourceKind
from patches.sources.feed_config import feed_source, one_location, one_platform
from patches.sources.parse_job import FeedPart

#: The branches of Alpine's security database.
ALPINE = (*(f"alpine-3.{minor}" for minor in range(3, 25)), "alpine-edge")


def create_source(config: SourceConfig, context: SourceContext, wanted: frozenset[str] | None) -> ISource:
    """
    Create a source of security databases.

    :raises BadSetting: if a single file is configured without its platform, or several folders are.
    """

    def parts(wanted: frozenset[str] | None) -> Sequence[FeedPart]:
        base = config.locations[0].rstrip("/")
        if base.endswith(".json"):
            platform = one_platform(config)
            return [FeedPart(platform, config.locations, platform)]
        branches = sorted(wanted) if wanted is not None else _branches(base)
        return [_branch(base, platform) for platform in branches if platform.startswith("alpine-")]

    if config.locations[0].endswith(".json"):
        one_platform(config)
    else:
        one_location(config)
    return feed_source(config, context, wanted, parts)


def _branches(base: str) -> Sequence[str]:
    if "://" in base or not Path(base).is_dir():
        return ALPINE
    names = sorted(entry.name for entry in Path(base).iterdir() if re.fullmatch(r"v\d+\.\d+|edge", entry.name))
    return [f"alpine-{name.removeprefix('v')}" for name in names]


def _branch(base: str, platform: str) -> FeedPart:
    version = platform.removeprefix("alpine-")
    folder = f"{base}/{version if version == 'edge' else f'v{version}'}"
    return FeedPart(platform, (f"{folder}/main.json", f"{folder}/community.json"), platform)


KIND = SourceKind(VENDOR, create_source)
