"""Why something of a feed is left out: what parsers count it under, where the reason names nothing of the feed."""

from __future__ import annotations

NO_RECORD = "not a record"
NO_PACKAGE = "not a package"
NO_RANGE = "not a range of versions"
NO_FLAW = "no name of a flaw"
INVALID_VERSION = "invalid version"
WITHDRAWN = "withdrawn"
NOT_SECURITY = "not security"
