"""
A double of Clair 2's v1 API, as clients see it, down to what it does wrong; checked against recordings of Clair 2.0.6.

It is read only over HTTP: what it holds is changed through :class:`ClairDouble`. To run it as a program, for tests that
need a process: ``python -m patches.testing.clair --load debian:9=FILE.jsonl.gz``.
"""

from patches.testing.clair.double import ClairDouble
from patches.testing.clair.troubles import Trouble

__all__ = ["ClairDouble", "Trouble"]
