"""The check of the configuration: which options were found, and whether they can be used."""

from __future__ import annotations

from attrs import frozen

from patches.scanner.doctor.check import OK, PROBLEM, WARNING, Check


@frozen
class ConfigurationFacts:
    """
    The options that were found.

    :ivar origins: the files and variables that have options.
    :ivar warnings: what is odd in the environment.
    :ivar problem: why what was found cannot be used; ``None``: it can.
    """

    origins: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    problem: str | None = None


def check_configuration(found: ConfigurationFacts) -> Check:
    """Return whether the options that were found can be used."""
    name, where = "configuration", ", ".join(found.origins) or "no file and no variable has options"
    if found.problem is not None:
        return Check(name, PROBLEM, found.problem, "correct it; the other checks are made without it")
    if found.warnings:
        return Check(name, WARNING, "; ".join(found.warnings), "remove it, or correct its name")
    return Check(name, OK, where)
