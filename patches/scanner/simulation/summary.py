"""The summary of a simulation: how many scanners read the whole list, how long that took, and what went wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from attrs import frozen

from patches.scanner.simulation.simulated_scanner import SimulatedScanner
from patches.wording import counted


def percentile(ordered: Sequence[float], fraction: float) -> float:
    """Return the smallest value that at least this fraction of all does not exceed; 0 if there are none."""
    if not ordered:
        return 0.0
    return ordered[min(len(ordered) - 1, max(0, -int(-fraction * len(ordered) // 1) - 1))]


@frozen
class Summary:
    """
    The experience of a fleet; times in seconds, sizes in bytes.

    :ivar seconds: from the first request to the last end.
    :ivar denials: how often scanners were denied a session, and came back.
    :ivar problems: for each reason, the number of scanners that did not read the whole list.
    :ivar p50: the time within which half of the scanners had the whole list; likewise the others.
    """

    scanners: int
    complete: int
    verified: int
    seconds: float
    denials: int
    received: int
    chunks: int
    vulnerabilities: int
    p50: float
    p99: float
    longest: float
    problems: dict[str, int]

    @classmethod
    def of(cls, scanners: Iterable[SimulatedScanner]) -> Summary:
        """Sum up scanners that have ended."""
        fleet = list(scanners)
        complete = [scanner for scanner in fleet if scanner.ended is not None and not scanner.problem]
        times = sorted((scanner.ended or 0.0) - scanner.started for scanner in complete)
        ends = [scanner.ended for scanner in fleet if scanner.ended is not None]
        return cls(
            scanners=len(fleet),
            complete=len(complete),
            verified=sum(scanner.verifies for scanner in complete),
            seconds=max(ends, default=0.0) - min((scanner.started for scanner in fleet), default=0.0),
            denials=sum(scanner.denials for scanner in fleet),
            received=sum(scanner.received for scanner in fleet),
            chunks=sum(scanner.chunks for scanner in fleet),
            vulnerabilities=max((scanner.vulnerabilities for scanner in complete), default=0),
            p50=percentile(times, 0.5),
            p99=percentile(times, 0.99),
            longest=max(times, default=0.0),
            problems=dict(Counter(scanner.problem or "not ended in time" for scanner in fleet if scanner.problem)),
        )

    def lines(self) -> list[str]:
        """Return the summary in words."""
        rate, took = self.chunks / self.seconds if self.seconds else 0.0, bool(self.complete)
        of = f" of {counted(self.vulnerabilities, 'vulnerability')}" if took else ""
        found = [
            f"{counted(self.complete, 'scanner')} of {self.scanners} read the whole list{of} "
            f"in {self.seconds:.2f} s; {self.verified} verified it",
            *([f"half of them took {self.p50:.2f} s at most, 99 % {self.p99:.2f} s, all {self.longest:.2f} s"] * took),
            f"{self.received / 2**20:.1f} MiB in {counted(self.chunks, 'chunk')}, {rate:.0f} a second; "
            f"{counted(self.denials, 'denial')}",
        ]
        return found + [f"{count} failed: {problem}" for problem, count in self.problems.items()]

    def document(self) -> dict[str, Any]:
        """Return the summary as JSON."""
        return {
            "scanners": self.scanners,
            "complete": self.complete,
            "verified": self.verified,
            "seconds": round(self.seconds, 3),
            "denials": self.denials,
            "bytes": self.received,
            "chunks": self.chunks,
            "vulnerabilities": self.vulnerabilities,
            "p50": round(self.p50, 3) if self.complete else None,
            "p99": round(self.p99, 3) if self.complete else None,
            "max": round(self.longest, 3) if self.complete else None,
            "problems": self.problems,
        }
