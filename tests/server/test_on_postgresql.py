"""Tests of refreshing and serving, repeated with a catalogue in PostgreSQL."""

from __future__ import annotations

from tests.server.databases import OnPostgreSQL
from tests.server.http import test_api
from tests.server.refresh import test_leadership
from tests.server.refresh import test_platforms as test_refresh_platforms
from tests.server.refresh import test_refresher as test_refresh


class ReadingListsTests(OnPostgreSQL, test_refresh.ReadingTests):
    """Lists that are read."""


class KeepingListsTests(OnPostgreSQL, test_refresh.KeepingTests):
    """Failures, which leave the current list unchanged."""


class RestartTests(OnPostgreSQL, test_refresh_platforms.RestartTests):
    """A server that is restarted."""


class PlatformTests(OnPostgreSQL, test_refresh_platforms.PlatformTests):
    """Platforms that appear and disappear."""


class OpeningTests(OnPostgreSQL, test_api.OpeningTests):
    """Opening sessions."""


class ReadingTests(OnPostgreSQL, test_api.ReadingTests):
    """Reading chunks."""


class FollowingTests(OnPostgreSQL, test_leadership.FollowingTests):
    """Two servers on one catalogue."""
