"""The packages of one vulnerability, put together."""

from __future__ import annotations

from collections.abc import Iterable

from patches.vulnerability import FixedPackage


def in_order(packages: Iterable[FixedPackage]) -> tuple[FixedPackage, ...]:
    """Give the packages in an order that depends on nothing but them, each once."""
    return tuple(sorted(set(packages), key=_order))


def _order(package: FixedPackage) -> tuple[str, ...]:
    bounds = (package.introduced, package.version, package.last_affected, package.channel, package.module)
    return (package.name, package.kind, *(bound or "" for bound in bounds), package.status, *(package.arches or ()))
