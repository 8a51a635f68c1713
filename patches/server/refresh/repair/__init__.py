"""
Repair: damage of what is stored is found, and mended from what is stored elsewhere or from the sources.

:mod:`~patches.server.refresh.repair.scrub` looks for damage, a little every second;
:mod:`~patches.server.refresh.repair.damaged_lists` marks the lists in which it, or a session, has found some.
"""
