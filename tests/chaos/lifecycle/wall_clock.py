"""A time of day that a program can set for the daemons that it starts, by libfaketime; the monotonic clock is real."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

#: Where distributions have the library; ``TEST_FAKETIME`` names another file.
_LIBRARIES = tuple(
    f"{folder}/faketime/libfaketimeMT.so.1"
    for folder in ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib")
)
_CLOCKS = "import time; print(time.time(), time.monotonic())"


def library() -> str | None:
    """Return the path of libfaketime; ``None`` if it is not installed."""
    paths = (os.environ.get("TEST_FAKETIME", ""), *_LIBRARIES)
    return next((path for path in paths if path and Path(path).exists()), None)


class WallClock:
    """
    The time of day of some daemons.

    :param folder: where it is kept.
    :ivar ahead: the seconds by which it is ahead of this host's; negative: behind.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = (folder / "clock").resolve()
        self.ahead = 0
        self.set(0)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the daemons."""
        return {
            **os.environ,
            "LD_PRELOAD": library() or "",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "NO_FAKE_STAT": "1",  # the times of files are those of the kernel, as on a host
        }

    def set(self, ahead: int) -> None:
        """Set the clock, by replacing the file at once: a daemon that reads a part of it would have another time."""
        half = self._file.with_suffix(".new")
        half.write_text(f"{ahead:+d}\n")
        half.rename(self._file)
        self.ahead = ahead

    def now(self) -> float:
        """Return the time that the daemons have."""
        return time.time() + self.ahead

    def is_fake(self) -> bool:
        """Return whether a Python has this time of day, and the real monotonic clock."""
        before = self.ahead
        try:
            self.set(-1_000_000)
            ran = subprocess.run(
                [sys.executable, "-c", _CLOCKS], env=self.environment, capture_output=True, text=True, check=True
            )
            wall, monotonic = map(float, ran.stdout.split())
            return abs(wall - self.now()) < 10 and abs(monotonic - time.monotonic()) < 10
        finally:
            self.set(before)
