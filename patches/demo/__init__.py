"""
Data to try Patches with: a short list of real vulnerabilities, and a sample host.

The list has a few advisories for each of several platforms, as their vendors published them (Debian's DSA, Ubuntu's
USN, Alpine's secdb, Rocky's errata). Thousands are missing, so it is only for a demonstration and says nothing about a
real host. Severities are the vendor's own, or the rating of the CVSS score if the vendor has none.
"""

from __future__ import annotations

from pathlib import Path

#: The list: one vulnerability per line, in the wire format.
SAMPLE = Path(__file__).parent / "sample.ndjson"
#: The root folder of a sample host, which is Debian 12.
HOST = Path(__file__).parent / "host"
