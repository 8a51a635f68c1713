"""
The sessions of the first Patches scanner, which asks for a list in small slices, and is silent for minutes in between.

Such a scanner starts a process for each package that a record names, before it asks for more. It can neither resume nor
repeat a request. So its sessions are apart from those of :mod:`patches.server.sessions`: they read the catalogue
themselves (:mod:`~patches.server.first_scanner.slices`), hold no chunk of a window, delay nobody, and may be silent for
15 minutes (:mod:`~patches.server.first_scanner.slice_sessions`). :mod:`~patches.server.first_scanner.service` connects
both with the clock, the threads and the budget.
"""
