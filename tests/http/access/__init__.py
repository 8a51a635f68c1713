"""Tests for the access of clients to servers."""
