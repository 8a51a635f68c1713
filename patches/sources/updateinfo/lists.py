"""The list of rpm repositories, parsed from their advisories; and the index of the extras among them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from attrs import evolve, frozen

from patches.errors import SourceError
from patches.skipped import UNREAD
from patches.sources.parse_context import ParseContext
from patches.sources.parse_job import ParseJob
from patches.sources.regroup import one_platform_fragments, regrouped
from patches.sources.updateinfo.parser import parse_updateinfo
from patches.vulnerability import Vulnerability

EXTRAS_INDEX = re.compile(r"(.*)/extras-catalog[^/]*\.json\Z", re.DOTALL)


@frozen
class Topic:
    """
    A topic of the catalogue of extras.

    :ivar name: ``kernel-5.10``; ``catalogue`` for the catalogue itself, if it cannot be read.
    :ivar path: the file of its advisories; ``None``: it has none, or cannot be fetched.
    :ivar problem: why it cannot be fetched, or ``None``.
    """

    name: str
    path: str | None = None
    problem: str | None = None


def is_extras_index(location: str) -> bool:
    """Return whether a location is that of a catalogue of extras."""
    return EXTRAS_INDEX.match(location) is not None


def read_topics(path: Path) -> Iterator[Topic]:
    """
    Yield the topics of an index.

    :raises SourceError: if it cannot be read.
    """
    try:
        rows = json.loads(path.read_bytes())
        yield from (Topic(*row[:3]) for row in rows)
    except (OSError, ValueError, TypeError) as error:
        raise SourceError(f"{path}: not an index of extras") from error


def parse_list(job: ParseJob, context: ParseContext) -> Iterator[Vulnerability]:
    """Parse the advisories of a release; see :class:`~patches.sources.parse_job.ListParser`."""
    return regrouped(_fragments(job, context), job.scratch)


def _fragments(job: ParseJob, context: ParseContext) -> Iterator[Vulnerability]:
    """Yield the advisories of repositories, and of the topics of catalogues: their builds are in a track each."""
    for location, path in zip(job.part.locations, job.paths, strict=True):
        if not is_extras_index(location):
            yield from one_platform_fragments(parse_updateinfo, job.part, [path], context)
            continue
        for topic in read_topics(path):
            if topic.problem is not None:
                context.skip(f"{UNREAD}extra: {topic.name}")
            elif topic.path is not None:
                for each in one_platform_fragments(parse_updateinfo, job.part, [Path(topic.path)], context):
                    packages = (evolve(package, track=topic.name.lower()) for package in each.fixed_in)
                    yield evolve(each, fixed_in=tuple(packages))
