"""Verified fakes, shipped: each passes the same tests as what it stands for, or is checked against recordings of it."""

from patches.testing.clair import ClairDouble, Trouble

__all__ = ["ClairDouble", "Trouble"]
