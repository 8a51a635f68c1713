"""
Something to try Patches on: a short list of real vulnerabilities and a sample host.

The list holds a few advisories for each of several platforms, as their vendors published them (Debian's DSA, Ubuntu's
USN, Alpine's secdb, Rocky's errata), and leaves thousands out: it is good for a look, and says nothing of a real host.
Severities are the vendor's own word, or the rating of the CVSS score where the vendor has none.
"""

from __future__ import annotations

from pathlib import Path

#: A vulnerability a line, in the wire format.
SAMPLE = Path(__file__).parent / "sample.ndjson"
#: The root folder of a sample host, which is Debian 12.
HOST = Path(__file__).parent / "host"
