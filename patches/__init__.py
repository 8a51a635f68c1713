"""
Patches tells a fleet which of its installed packages are vulnerable, without any host's inventory leaving the host.

A vulnerability goes this way, and the packages are named after the program that runs each step:

* :mod:`patches.sources` fetches and parses complete lists of vulnerabilities;
* :mod:`patches.server` keeps them as snapshots and serves them, chunk by chunk, to sessions;
* :mod:`patches.scanner` streams them, compares them with what is installed, and reports;
* :mod:`patches.reporter` accepts the reports.

What both ends share stands at the top: the values (:mod:`patches.vulnerability`, :mod:`patches.platforms`),
the contracts (:mod:`patches.interfaces`), the one wire format (:mod:`patches.wire`), and the options
(:mod:`patches.settings`).
"""

__version__ = "0.1.0"
