"""
The availability of the database of a catalogue.

:mod:`~patches.server.catalogue.availability.watch` asks it all the time, and ends the waits of requests when it does
not answer; :mod:`~patches.server.catalogue.availability.connections` has the connections, which can be cut.
"""
