"""
A simulated fleet: many scanners that read a whole list at the same time, to measure a server.

Start with :mod:`~patches.scanner.simulation.fleet`, which runs :mod:`~patches.scanner.simulation.simulated_scanner`
over non-blocking sockets and sums up in :mod:`~patches.scanner.simulation.summary`. It uses neither Twisted nor the
real client, so that a core of its own is enough to keep a server busy.
"""
