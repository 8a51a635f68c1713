"""What sources are made with."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen

from patches.interfaces import Run
from patches.sources.configured import SourceConfig
from patches.sources.feed import Fetch
from patches.sources.kept import KeptFiles


@frozen
class Means:
    """
    What sources are made with.

    :ivar reactor: tells the time, and connects.
    :ivar run: runs what blocks.
    :ivar folder: where fetched and scratch files may be.
    :ivar fetch: makes what fetches the files of a configured source.
    :ivar kept: where those are.
    :ivar environment: the variables of the process, for what is not configured: its proxies.
    """

    reactor: Any
    run: Run
    folder: Path
    fetch: Callable[[SourceConfig], Fetch]
    kept: KeptFiles
    environment: Mapping[str, str] = field(factory=dict, repr=False)


def means_of(
    reactor: Any, run: Run, folder: Path, kept: KeptFiles, environment: Mapping[str, str] | None = None
) -> Means:
    """
    Make the means of a server.

    :param folder: is made when it is needed.
    :param environment: may name proxies; ``None``: that of the process.
    """
    from patches.sources.fetches import make_fetch

    environment = os.environ if environment is None else environment
    return Means(reactor, run, folder, make_fetch(reactor, run, kept, environment), kept, environment)
