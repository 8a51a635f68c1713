"""
Attacks on real daemons, each with a seed, each a program too: ``python -m tests.chaos.load.half_requests --seed 7``.

A folder is a kind of attack. A module ``<attack>.py`` in it has a function that makes the attack and returns an
:class:`~tests.chaos.attack.Outcome`; ``test_<attack>.py`` makes it on a small scale. The programs print what was tried
and the worst figure, and end with exit code 1 if the promise was broken.
"""
