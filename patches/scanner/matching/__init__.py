"""
Matching: one vulnerability against all installed packages.

:mod:`~patches.scanner.matching.matcher` applies the :mod:`~patches.scanner.matching.rules` to each package and each of
its :mod:`~patches.scanner.matching.aliases`; :mod:`~patches.scanner.matching.findings` joins the matches. Findings
that somebody accepted are marked by :mod:`~patches.scanner.matching.ignores`, from files of several formats: our own,
and those of :mod:`~patches.scanner.matching.vex`.
"""
