"""The exit codes of ``patches scan``, ``patches explain`` and ``patches inventory``."""

from __future__ import annotations

from patches.scanner.outcome import Outcome, Verdict
from patches.vulnerability import Severity

#: The value of ``--fail-on`` with which findings do not change the exit code.
NEVER = "never"
CLEAN, FINDINGS, INCOMPLETE, UNSUPPORTED, ERROR, INTERRUPTED = 0, 1, 3, 4, 5, 130
_NOT_DONE = {
    Verdict.INCOMPLETE: INCOMPLETE,
    Verdict.STALE: INCOMPLETE,
    Verdict.UNSUPPORTED: UNSUPPORTED,
    Verdict.ERROR: ERROR,
}

EXPLAINED = """
Exit codes: 0 the scan is complete, and no finding counts; 1 the scan is complete, and a finding is at least as severe
as --fail-on; 2 wrong usage; 3 the scan is incomplete, or the list is older than --max-age; 4 the platform cannot be
detected, or the server does not know it; 5 the packages of the host cannot be read, or another error; 130 interrupted.
"""
EXPLAIN_EXPLAINED = """
Exit codes: 0 the host is not affected; 1 the host is affected; 2 wrong usage; 3 a comparison was not possible, or the
list was not received whole; 4 the platform cannot be detected, or the server does not know it; 5 the packages of the
host cannot be read; 130 interrupted.
"""


def exit_code(outcome: Outcome, limit: Severity | None) -> int:
    """
    Return the exit code of an outcome.

    :param limit: the lowest severity that counts; ``None`` if findings do not change the exit code.
    """
    if outcome.verdict in _NOT_DONE:
        return _NOT_DONE[outcome.verdict]
    counts = limit is not None and any(finding.severity >= limit for finding in outcome.counted)
    return FINDINGS if counts else CLEAN
