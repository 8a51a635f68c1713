"""
The parts of a server, created from their settings; :mod:`patches.server.service` puts them together.

:mod:`~patches.server.assembly.shared` has what every part uses: the clock, the threads, the budget, the state folder.
Each other module creates one part from its group of settings: the :mod:`~patches.server.assembly.storage`, the
:mod:`~patches.server.assembly.sessions`, the :mod:`~patches.server.assembly.refresh`, the
:mod:`~patches.server.assembly.http`. An option that cannot be used is a :class:`~patches.settings.BadSetting`.
"""
