"""
The outcome of a scan as JUnit XML, which pipelines show as results of tests.

There is no specification; this is the form that Jenkins and GitLab read. The verdict is a test, and each finding that
is shown is one that failed, or was skipped because the finding does not count.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from patches.scanner.matching.findings import Finding
from patches.scanner.outcome import Outcome, Verdict
from patches.scanner.output.phrases import ignore_sentence, page_of, remedy
from patches.wire import rfc3339
from patches.wording import printable


def junit_pieces(outcome: Outcome) -> Iterator[str]:
    """Yield the text of the document of an outcome, in pieces."""
    failed, shown = len(outcome.counted), len(outcome.shown)
    is_done = outcome.verdict in (Verdict.CLEAN, Verdict.FINDINGS)
    numbers = _attributes(tests=shown + 1, failures=failed, errors=0 if is_done else 1, skipped=shown - failed)
    seconds = f"{max(0.0, outcome.finished - outcome.started):.3f}"
    name = f"{outcome.host} ({outcome.platform or 'unknown'})"
    suite = _attributes(name=name, timestamp=rfc3339(outcome.started)[:19], time=seconds)
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f"<testsuites{numbers}>\n<testsuite{suite}{numbers}>\n"
    yield f"<testcase{_attributes(classname='patches', name='verdict', time='0')}>"
    if not is_done:
        yield f"<error{_attributes(type=outcome.verdict, message=outcome.problem or '')}/>"
    yield f"<system-out>{_text(f'verdict {outcome.verdict}')}</system-out></testcase>\n"
    for finding in outcome.shown:
        yield _case(finding, outcome)
    yield "</testsuite>\n</testsuites>"


def _case(finding: Finding, outcome: Outcome) -> str:
    package = finding.package
    where = f"{package.name} {finding.installed_version} {package.arch}"
    opening = f"<testcase{_attributes(classname=where, name=finding.vulnerability_id, time='0')}>"
    if finding.ignored is not None:
        inside = f"<skipped{_attributes(message=ignore_sentence(finding.ignored))}/>"
    elif finding.is_old_kernel and not outcome.with_old_kernels:
        inside = f"<skipped{_attributes(message='A newer kernel is running.')}/>"
    else:
        severity = finding.severity.name.lower()
        told = _attributes(type=severity, message=f"{finding.vulnerability_id} ({severity}): {remedy(finding)}")
        inside = f"<failure{told}>{_text(page_of(finding))}</failure>"
    return f"{opening}{inside}</testcase>\n"


def _attributes(**values: object) -> str:
    """Return attributes with a blank before each."""
    return "".join(f' {name}="{_text(str(value))}"' for name, value in values.items())


def _text(text: str) -> str:
    """Return a text in which markup is escaped; other characters than those of ASCII are references."""
    return escape(printable(text)).encode("ascii", "xmlcharrefreplace").decode()
