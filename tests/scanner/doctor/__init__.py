"""Tests for the checks of ``patches doctor``."""
