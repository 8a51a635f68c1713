"""
The format of a daemon's log: text for people, lines with a priority for systemd's journal, or JSON for programs.

twistd chooses the observer, after the options were read: a file, standard output, syslog, or one of the user. The
format of those that write to a file can be chosen; syslog has its own.
"""

from __future__ import annotations

import os
from typing import IO, Any

from twisted.logger import FileLogObserver, ILogObserver, LogEvent, LogLevel, formatEvent

from patches.wire import encode_json, rfc3339

AUTO, TEXT, JOURNAL, JSON = "auto", "text", "journal", "json"
LOG_FORMS = (AUTO, TEXT, JOURNAL, JSON)
#: Priorities of syslog, which begin the lines that the journal takes: sd-daemon(3).
_PRIORITIES = {LogLevel.debug: 7, LogLevel.info: 6, LogLevel.warn: 4, LogLevel.error: 3, LogLevel.critical: 2}
#: Of an event without a level.
_PRIORITY = 6


def use_format(observer: ILogObserver, form: str) -> None:
    """
    Use a format in an observer, if it writes to a file.

    :param form: one of :data:`LOG_FORMS`; ``auto``: the journal's if that reads the file, else text.
    """
    if not isinstance(observer, FileLogObserver):
        return
    if form == JSON:
        observer.formatEvent = json_line
    elif form == JOURNAL or (form == AUTO and is_journal(getattr(observer, "_outFile", None))):
        observer.formatEvent = journal_lines


def is_journal(file: IO[Any] | None) -> bool:
    """Return whether the journal reads a file: then ``JOURNAL_STREAM`` has its device and inode, systemd.exec(5)."""
    try:
        found = os.fstat(file.fileno()) if file is not None else None
    except (OSError, ValueError, AttributeError):
        return False
    return found is not None and os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


def journal_lines(event: LogEvent) -> str | None:
    """Return the lines of an event, each with its priority; the journal adds the time and the program."""
    text = _message(event)
    priority = _PRIORITIES.get(event.get("log_level"), _PRIORITY)
    return "".join(f"<{priority}>{line}\n" for line in (text + _trace(event)).splitlines()) if text else None


def json_line(event: LogEvent) -> str | None:
    """Return an event as a JSON object in one line: ``time``, ``level``, ``logger``, ``message`` and ``traceback``."""
    text, trace, level = _message(event), _trace(event), event.get("log_level")
    if not text:
        return None
    document = {
        "time": rfc3339(event.get("log_time", 0.0)),
        "level": level.name if level is not None else "info",
        "logger": event.get("log_namespace") or event.get("log_system") or "-",
        "message": text,
        **({"traceback": trace.strip()} if trace else {}),
    }
    return encode_json(document).decode("utf-8") + "\n"


def _message(event: LogEvent) -> str:
    failure = event.get("log_failure")
    return formatEvent(event) or (failure.getErrorMessage() if failure is not None else "")


def _trace(event: LogEvent) -> str:
    failure = event.get("log_failure")
    return f"\n{failure.getTraceback()}" if failure is not None else ""
