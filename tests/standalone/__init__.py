"""Tests for :mod:`patches.standalone`."""
