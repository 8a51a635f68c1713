"""A parse job: the files of one list, and what their parser needs to know; it can be sent to another process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from attrs import asdict, frozen

from patches.sources.ecosystem_config import EcosystemConfig
from patches.sources.parse_context import ParseContext
from patches.vulnerability import Vulnerability


@frozen
class FeedPart:
    """
    One list of a feed.

    :ivar key: its name within the source.
    :ivar locations: its files, as URLs or paths.
    :ivar platform: the only platform of the list; ``None``: its records name their platforms.
    """

    key: str
    locations: tuple[str, ...]
    platform: str | None = None


@frozen
class ParseJob:
    """
    The parsing of one list.

    :ivar kind: the kind of the source: ``osv``.
    :ivar source: the name that the records carry as their source.
    :ivar paths: the local files of the part's locations, in their order.
    :ivar scratch: the path of a scratch file, which the parser may write; its folder is created.
    :ivar wanted: the platforms to read; ``None``: all.
    :ivar ecosystems: OSV: the ecosystems that are configured, besides those in the table.
    """

    kind: str
    source: str
    part: FeedPart
    paths: tuple[Path, ...]
    scratch: Path
    wanted: frozenset[str] | None = None
    ecosystems: tuple[EcosystemConfig, ...] = ()

    @property
    def staged(self) -> Path:
        """The path of the file that a worker writes; it is not the scratch file."""
        return self.scratch.with_suffix(".staged")

    def context(self) -> ParseContext:
        """Return a new context for the parser."""
        return ParseContext(self.source, self.wanted)

    def to_json(self) -> str:
        """Convert to one line of JSON; names of files may have bytes that are not Unicode."""
        document = asdict(self)
        document |= {"paths": [str(path) for path in self.paths], "scratch": str(self.scratch)}
        document["wanted"] = sorted(self.wanted) if self.wanted is not None else None
        return json.dumps(document)

    @classmethod
    def from_json(cls, text: str) -> ParseJob:
        """Create from the text that :meth:`to_json` returned."""
        document = json.loads(text)
        part, wanted = document["part"], document["wanted"]
        return cls(
            kind=document["kind"],
            source=document["source"],
            part=FeedPart(part["key"], tuple(part["locations"]), part["platform"]),
            paths=tuple(map(Path, document["paths"])),
            scratch=Path(document["scratch"]),
            wanted=frozenset(wanted) if wanted is not None else None,
            ecosystems=tuple(EcosystemConfig(**each) for each in document["ecosystems"]),
        )


class ListParser(Protocol):
    """Parses the files of a list; blocks, and raises :class:`~patches.errors.SourceError`."""

    def __call__(self, job: ParseJob, context: ParseContext, /) -> Iterator[Vulnerability]: ...
