"""
The time of day is read in few places, each to stamp something or to judge what is valid; nothing is scheduled by it.

Everything else takes a clock, or a function that returns the time. What is taken is looked for in the parsed modules:
the functions that read the time of day, by whatever name a module imports them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from twisted.trial.unittest import SynchronousTestCase

from tests.test_layers import modules

#: The functions that read the time of day. Those of the second row do so if they are called without a time.
READERS = frozenset(
    (
        *("time.time", "time.time_ns", "time.clock_gettime", "time.clock_gettime_ns"),
        *("datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today"),
        *("email.utils.localtime", "twisted.python.log.time"),
    )
)
WITHOUT_TIME = {
    "time.gmtime": 0,
    "time.localtime": 0,
    "time.ctime": 0,
    "time.asctime": 0,
    "time.strftime": 1,
    "email.utils.formatdate": 0,
    "twisted.web.http.datetimeToString": 0,
    "os.utime": 1,
}
#: The modules that read the time of day, and what for.
ALLOWED = {
    "service/clocks.py": "the start of steady time",
    "server/admin/bundle_commands.py": "a bundle is not from the future; the publication is stamped",
    "server/admin/commands.py": "a publication is stamped; the ages of snapshots that other processes have stamped",
    "server/assembly/http.py": "the ages that are shown",
    "server/assembly/refresh.py": "the check of a list is stamped",
    "server/assembly/sessions.py": "Date",
    "server/assembly/storage.py": "publications of an earlier version are stamped",
    "http/bounded_site.py": "Date",
    "reporter/service.py": "the receipt of a report is stamped",
    "scanner/host_scan.py": "a scan that cannot begin is stamped",
    "scanner/scan.py": "a scan is stamped, and the age of its list judged",
    "scanner/scan_command.py": "a scan that cannot begin is stamped",
    "scanner/client/cache.py": "the ages of files that a scanner abandoned",
    "scanner/client/client.py": "the clock of a server is compared with this host's",
    "scanner/client/http_client.py": "a date in Retry-After of a server that sends no Date",
    "scanner/client/stream.py": "the clock of a server is compared with this host's",
    "scanner/client/trust.py": "a signed list is not from the future",
    "scanner/doctor/host_checks.py": "the ages of kept lists, reports and packages",
    "scanner/doctor/server_checks.py": "the clock of a server is compared with this host's",
    "scanner/lists/commands.py": "the ages of kept lists",
    "standalone/list_reader.py": "a list that was held back is stamped when it is accepted",
    "sources/fetch/download.py": "a fetched file is stamped; a date in Retry-After",
    "sources/fetch/request.py": "a date in Retry-After of a server that sends no Date",
    "sources/nvd/source.py": "the last year of which there is a file",
    "sources/fetch/retry.py": "a date in Retry-After of a server that sends no Date",
}


def imported(tree: ast.Module) -> dict[str, str]:
    """Return the names that a module imports, with what they stand for."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {each.asname or each.name.partition(".")[0]: each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}
    return found


def full_name(node: ast.expr, names: dict[str, str]) -> str:
    """Return the full name of an expression such as ``time.time``; empty if it is none."""
    if isinstance(node, ast.Name):
        return names.get(node.id, "")
    if isinstance(node, ast.Attribute):
        return f"{full_name(node.value, names)}.{node.attr}"
    return ""


def readings(tree: ast.Module) -> Iterator[str]:
    """Yield the functions by which a module reads the time of day, whether it calls them or hands them on."""
    names = imported(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and (name := full_name(node, names)) in READERS:
            yield f"{name}, line {node.lineno}"
        elif isinstance(node, ast.Call):
            name = full_name(node.func, names)
            if len(node.args) + len(node.keywords) <= WITHOUT_TIME.get(name, -1):
                yield f"{name}, line {node.lineno}"


class TimeOfDayTests(SynchronousTestCase):
    """All modules, parsed but not run."""

    def test_few(self) -> None:
        """Only the listed modules read the time of day."""
        found = {path: reads for path, tree in modules().items() if (reads := list(readings(tree)))}
        self.assertEqual({path: reads for path, reads in found.items() if path not in ALLOWED}, {})
        self.assertEqual(ALLOWED.keys() - found.keys(), set())

    def test_found(self) -> None:
        """A reading is found by whatever name the module imports the function, called or handed on."""
        for text in (
            "import time\nwall = time.time",
            "import time as t\nt.time()",
            "from time import time as now\nnow()",
            "from time import time_ns\nf(time_ns)",
            "import datetime\ndatetime.datetime.now(datetime.UTC)",
            "from datetime import datetime, UTC\npartial(datetime.now, UTC)",
            "from datetime import date\ndate.today()",
            "import time\ntime.strftime('%H')",
            "from time import gmtime\ngmtime()",
            "import os\nos.utime(path)",
            "from email.utils import formatdate\nformatdate()",
        ):
            self.assertEqual(len(list(readings(ast.parse(text)))), 1, text)
        for text in (
            "import time\ntime.monotonic()",
            "import time\ntime.sleep(1)",
            "from time import gmtime\ngmtime(now)",
            "import os\nos.utime(path, (now, now))",
            "from datetime import datetime\ndatetime.fromtimestamp(now)",
        ):
            self.assertEqual(list(readings(ast.parse(text))), [], text)
