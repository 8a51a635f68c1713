"""The exit codes of ``patches scan``, ``patches explain`` and ``patches inventory``."""

from __future__ import annotations

from patches.scanner.outcome import Outcome, Verdict
from patches.scanner.output.fail_on import FailOn

CLEAN, FINDINGS, USAGE, INCOMPLETE, UNSUPPORTED, ERROR, NOT_COVERED, INTERRUPTED = 0, 1, 2, 3, 4, 5, 6, 130
_NOT_DONE = {
    Verdict.INCOMPLETE: INCOMPLETE,
    Verdict.STALE: INCOMPLETE,
    Verdict.UNSUPPORTED: UNSUPPORTED,
    Verdict.ERROR: ERROR,
}

EXPLAINED = """
Exit codes: 0 the scan is complete, and no finding counts; 1 the scan is complete, and a finding counts: one that is at
least as severe as --fail-on, or whose severity is unknown; 2 wrong usage, or --fail-on or --kev asks for what the list
was made without; 3 the scan is incomplete, or the list is older than --max-age; 4 the platform cannot be detected, or
the server does not know it; 5 the packages of the host cannot be read, or another error; 6 packages could not be judged
(--fail-on-unjudged), or the support of the platform has ended (--fail-on-eol); 130 interrupted. Of several, the first
applies in this order: 130, 2, 5, 4, 3, 1, 6, 0.
"""
EXPLAIN_EXPLAINED = """
Exit codes: 0 the host is not affected; 1 the host is affected; 2 wrong usage; 3 a comparison was not possible, the list
does not know the id, or it was not received whole; 4 the platform cannot be detected, or the server does not know it; 5
the packages of the host cannot be read; 130 interrupted.
"""

INVENTORY_EXPLAINED = """
Exit codes: 0 the packages could be read; 2 wrong usage; 4 the platform cannot be detected; 5 the packages of the host
cannot be read.
"""


def exit_code(outcome: Outcome, fail_on: FailOn, most_unjudged: int | None = None, fail_on_eol: bool = False) -> int:
    """
    Return the exit code of an outcome.

    :param fail_on: which findings count.
    :param most_unjudged: the number of unjudged packages from which the scan fails; ``None``: they do not matter.
    :param fail_on_eol: whether the scan fails if the support of the platform has ended.
    """
    if fail_on.missing(outcome) is not None:
        return USAGE
    if outcome.verdict in _NOT_DONE:
        return _NOT_DONE[outcome.verdict]
    if any(map(fail_on.counts, outcome.counted)):
        return FINDINGS
    is_unjudged = most_unjudged is not None and outcome.coverage.unjudged >= most_unjudged
    return NOT_COVERED if is_unjudged or (fail_on_eol and outcome.end_of_life is not None) else CLEAN
