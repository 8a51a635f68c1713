"""Tests for the lists that are kept on this host."""
