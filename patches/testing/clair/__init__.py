"""
A double of Clair 2's v1 API as clients see it, bugs included; checked against recordings of Clair 2.0.6.

It is read over HTTP only; its content is changed through :class:`ClairDouble`. Tests that need a process run it as a
program: ``python -m patches.testing.clair --load debian:9=FILE.jsonl.gz``.
"""

from patches.testing.clair.double import ClairDouble
from patches.testing.clair.troubles import Trouble

__all__ = ["ClairDouble", "Trouble"]
