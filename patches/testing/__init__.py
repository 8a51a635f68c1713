"""
Verified fakes: each passes the same tests as the software that it replaces, or is checked against recordings of it.
"""

from patches.testing.clair import ClairDouble, Trouble

__all__ = ["ClairDouble", "Trouble"]
