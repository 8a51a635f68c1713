"""Checks of what sources offer: addresses of servers, and checksums that are published beside files."""
