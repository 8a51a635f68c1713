"""What is refreshed and served from SQLite is refreshed and served from PostgreSQL."""

from __future__ import annotations

from tests.server.databases import OnPostgreSQL
from tests.server.http import test_api
from tests.server.refresh import test_leadership
from tests.server.refresh import test_platforms as test_refresh_platforms
from tests.server.refresh import test_refresher as test_refresh


class ReadingListsTests(OnPostgreSQL, test_refresh.ReadingTests):
    """Reading lists."""


class KeepingListsTests(OnPostgreSQL, test_refresh.KeepingTests):
    """Keeping what is there."""


class RestartTests(OnPostgreSQL, test_refresh_platforms.RestartTests):
    """Starting again."""


class PlatformTests(OnPostgreSQL, test_refresh_platforms.PlatformTests):
    """Platforms that come and go."""


class OpeningTests(OnPostgreSQL, test_api.OpeningTests):
    """Opening sessions."""


class ReadingTests(OnPostgreSQL, test_api.ReadingTests):
    """Reading chunks."""


class FollowingTests(OnPostgreSQL, test_leadership.FollowingTests):
    """Two servers."""
