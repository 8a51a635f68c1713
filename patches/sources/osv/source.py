"""OSV as a source: archives or folders of records, or a bucket with one archive per ecosystem."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from patches.interfaces import ISource, SourceError
from patches.settings import BadSetting
from patches.sources.archive.members import members
from patches.sources.archive.zip import BadZip, is_zip, zip_members
from patches.sources.config import SourceConfig
from patches.sources.context import CONVERTED, SourceContext, SourceKind
from patches.sources.feed import FeedPart
from patches.sources.feed_config import feed_source, one_location, parts_of
from patches.sources.osv.ecosystems import ECOSYSTEMS, Ecosystems, with_configured
from patches.sources.osv.parser import parse_osv
from patches.sources.parse_context import ParseContext
from patches.vulnerability import Vulnerability


def parse_archives(
    part: FeedPart, paths: Sequence[Path], context: ParseContext, ecosystems: Ecosystems = ECOSYSTEMS
) -> Iterator[Vulnerability]:
    """Parse archives or folders of records; see :class:`~patches.sources.feed.FeedParser`."""
    for path in paths:
        context.claimed = _claimed(path)
        yield from parse_osv(context.counted(members(path)), context, ecosystems)


def _claimed(path: Path) -> int | None:
    """Return the number of records in a zip file's directory; ``None`` for other archives, which have no directory."""
    try:
        if not is_zip(path):
            return None
        with path.open("rb") as file:
            return sum(member.name.endswith(".json") for member in zip_members(file))
    except (OSError, BadZip) as error:
        raise SourceError(f"{path}: {error}") from error


def create_source(config: SourceConfig, context: SourceContext, wanted: frozenset[str] | None) -> ISource:
    """
    Create a source of OSV records.

    :raises BadSetting: if an ecosystem is unknown, or those of several buckets are configured.
    """
    ecosystems = with_configured(context.ecosystems)
    unknown = sorted(set(config.ecosystems) - ecosystems.names)
    if unknown:
        raise BadSetting(
            f"[source.{config.name}]: there is no ecosystem {unknown[0]!r}; "
            f'a section [ecosystem."{unknown[0]}"] adds it'
        )
    base = one_location(config).rstrip("/") if config.ecosystems else ""

    def parts(wanted: frozenset[str] | None) -> Sequence[FeedPart]:
        if not config.ecosystems:
            return parts_of(config.locations)
        return [
            FeedPart(name, (f"{base}/{name.replace(' ', '%20') if '://' in base else name}/all.zip",))
            for name in config.ecosystems
        ]

    return feed_source(config, context, wanted, partial(parse_archives, ecosystems=ecosystems), parts)


KIND = SourceKind(CONVERTED, create_source)
