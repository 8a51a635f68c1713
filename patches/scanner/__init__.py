"""
patches-scanner: it streams the list of a host's platform, compares it with the installed packages, and reports.

:mod:`~patches.scanner.scan` is one scan: ``host`` and ``inventory`` read the host, ``client`` streams the list,
``matching`` compares, and the result is an :mod:`~patches.scanner.outcome`, which ``output`` shows and ``reporting``
sends. :mod:`~patches.scanner.service` is the daemon, :mod:`~patches.scanner.scan_command` is ``patches scan``.
"""
