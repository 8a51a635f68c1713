"""Tests for :mod:`patches.service.lifecycle.preparation`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

_PREPARE = """
import json, os, signal, time
from pathlib import Path
from attrs import frozen
from twisted.application.service import MultiService
from twisted.internet import reactor
from twisted.logger import Logger, formatEvent, globalLogPublisher
from patches.service.daemon import DaemonOptions
from patches.service.log.log_level import LogSettings
from patches.service.lifecycle.preparation import prepare_daemon
from patches.settings import group

@frozen(kw_only=True)
class KettleSettings:
    log: LogSettings = group(LogSettings)

class KettleOptions(DaemonOptions[KettleSettings]):
    program = "patches-kettle"
    declared = KettleSettings

options = KettleOptions()
options.parseOptions(["--log-level", "warn"])
prepared = prepare_daemon(reactor, options)
os.kill(os.getpid(), signal.SIGHUP)
os.kill(os.getpid(), signal.SIGUSR2)
used = []
prepared.reload.use = used.append
lines = []
globalLogPublisher.addObserver(lambda event: lines.append(formatEvent(event)))
Logger().info("below the level")
Logger().warn("{name}", name="\\x1b[2J")
Path("file").touch()
service = prepared.complete(MultiService())
reactor.callWhenRunning(service.startService)
reactor.addSystemEventTrigger("before", "shutdown", service.stopService)
reactor.callLater(0.2, os.kill, os.getpid(), signal.SIGTERM)
reactor.run()
os.kill(os.getpid(), signal.SIGUSR1)
mode = os.stat("file").st_mode & 0o777
print(json.dumps([reactor.seconds is time.monotonic, lines, mode, len(used)]))
"""


class PreparationTests(SynchronousTestCase):
    """A process that becomes a daemon."""

    def test_prepared(self) -> None:
        """Clock, log, files and signals are as a daemon needs them, from the first moment to the last."""
        folder = Path(self.mktemp())
        folder.mkdir()
        command = [sys.executable, "-c", _PREPARE]
        ended = subprocess.run(command, cwd=folder, timeout=60, check=True, stdout=subprocess.PIPE)
        is_monotonic, lines, mode, used = json.loads(ended.stdout)
        self.assertEqual((is_monotonic, mode, used), (True, 0o600, 1))
        self.assertEqual(lines, ["\\x1b[2J"])
