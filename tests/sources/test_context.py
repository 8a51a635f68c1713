"""Tests for :mod:`patches.sources.context`: sources that are created with the context of a server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from patches.settings import BadSetting
from patches.sources.config import SourceConfig
from patches.sources.context import SourceContext
from patches.sources.fetch.cache import FileCache
from patches.sources.parsing import ParsingHere
from patches.sources.registry import create_source

FEED = '{"apkurl": "", "packages": []}'


class MeansTests(SynchronousTestCase):
    """The shared dependencies."""

    def make(self, environment: dict[str, str], **section: Any) -> Any:
        """Create a source."""
        folder = Path(self.mktemp())
        context = SourceContext.create(
            Clock(), maybeDeferred, folder, FileCache(folder / "files"), ParsingHere(), environment
        )  # type: ignore[arg-type]
        return create_source(SourceConfig.from_section("mine", section), context, None)

    def test_path(self) -> None:
        """A local file is offered, and no folder is created for it."""
        path = Path(self.mktemp()).with_suffix(".json")
        path.write_text(FEED)
        source = self.make({}, kind="secdb", path=str(path), platforms=["wolfi"])
        offers = self.successResultOf(Deferred.fromCoroutine(source.offers()))
        self.assertEqual([offer.platform for offer in offers], ["wolfi"])

    def test_environment(self) -> None:
        """A proxy of the environment that cannot be used is reported when a source is created, for a Clair too."""
        for kind in ("osv", "clair"):
            with self.assertRaisesRegex(BadSetting, r"^\[source.mine\]: HTTPS_PROXY in the environment"):
                self.make({"https_proxy": "socks5://x"}, kind=kind, url="https://feeds.test")
