"""
Logs in which nothing is obeyed: what cannot be shown is escaped in every event, whoever logs it.

Twisted's observers write the text of an event as it is, and names, messages and paths of strangers are in it.
"""

from __future__ import annotations

import re
from typing import Any

from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from zope.interface import provider

from patches.wording import printable

#: The lines of an event, which Twisted indents; others come from Twisted itself, as tracebacks do.
_LINES = re.compile(r"([\n\t])")


class _EscapedFailure:
    """A failure whose traceback can be shown; in all else it is the failure."""

    def __init__(self, failure: Any) -> None:
        self._failure = failure

    def __getattr__(self, name: str) -> Any:
        return getattr(self._failure, name)

    def getTraceback(self, *args: Any, **kwargs: Any) -> str:
        """Return the traceback as text."""
        return _escaped(self._failure.getTraceback(*args, **kwargs))


@provider(ILogObserver)
def escape_event(event: LogEvent) -> None:
    """
    Escape an event for the observers after this one.

    A message of this project is one line; those of Twisted may have several.
    """
    text = formatEvent(event)
    is_own = str(event.get("log_namespace", "")).startswith("patches")
    shown = printable(text) if is_own else _escaped(text)
    if shown != text:
        event["log_format"], event["log_escaped"] = "{log_escaped}", shown
        event.pop("log_flattened", None)
        if event.pop("format", None) is not None or "message" in event:  # what older observers look at first
            event["message"] = (shown,)
    failure = event.get("log_failure")
    if failure is not None and not isinstance(failure, _EscapedFailure):
        event["log_failure"] = _EscapedFailure(failure)


def escape_logs() -> None:
    """
    Escape what this process logs from now on.

    Call it before logging begins, as ``makeService`` does: observers are called in the order in which they were added,
    with one event that all of them share.
    """
    globalLogPublisher.addObserver(escape_event)


def _escaped(text: str) -> str:
    return "".join(part if part in ("\n", "\t") else printable(part) for part in _LINES.split(text))
