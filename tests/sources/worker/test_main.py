"""Tests for :mod:`patches.sources.worker.__main__`: the program, in this process and as a process of its own."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import time
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.sources.parse_job import FeedPart, ParseJob
from patches.sources.worker.__main__ import answer
from patches.sources.worker.reply import WorkerReply
from patches.sources.worker.staged_file import read_staged
from tests.processes import end, start
from tests.server.fake_catalogue import lines, vulnerabilities

MIB = 1 << 20


class WorkerCase(SynchronousTestCase):
    """A case with a folder of files."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()

    def job(self, content: bytes, kind: str = "ndjson", name: str = "list") -> ParseJob:
        """Write a file. Return the job of parsing it."""
        path = self.folder / name
        path.write_bytes(content)
        part = FeedPart(name, (name,), "alpine-3.20")
        return ParseJob(kind, "own", part, (path,), self.folder / "scratch" / "own.regroup")


class AnswerTests(WorkerCase):
    """The reply to a job, in this process."""

    def test_parsed(self) -> None:
        """A list that was parsed is in the staged file; the folder of the scratch file is created."""
        job = self.job(b"".join(lines(vulnerabilities(5))))
        self.assertEqual(answer(job), WorkerReply())
        self.assertEqual(
            [each.name for each in read_staged(job.staged, job.context())], [each.name for each in vulnerabilities(5)]
        )

    def test_error(self) -> None:
        """A list that cannot be parsed is an error in words."""
        self.assertEqual(answer(self.job(b"x\n")).error, "list:1: not JSON: Expecting value: line 1 column 1 (char 0)")


class ProgramTests(WorkerCase):
    """The program, as a process of its own."""

    def run_jobs(self, *jobs: ParseJob, mib: int = 48) -> tuple[list[WorkerReply], int]:
        """Run a worker with some jobs. Return its replies and its exit code."""
        numbers = str(os.getpid()), str(mib * MIB), "60"
        text = "".join(job.to_json() + "\n" for job in jobs).encode()
        command = [sys.executable, "-m", "patches.sources.worker", *numbers]
        ran = subprocess.run(command, input=text, capture_output=True, timeout=60)
        self.assertEqual(ran.stderr, b"")
        return [WorkerReply.from_line(line) for line in ran.stdout.splitlines()], ran.returncode

    def test_several(self) -> None:
        """One worker parses several lists; an error of one does not end it."""
        good, bad = self.job(b"".join(lines(vulnerabilities(5)))), self.job(b"x\n", name="bad")
        replies, code = self.run_jobs(bad, good)
        self.assertEqual(([reply.error is None for reply in replies], code), ([False, True], 0))

    def test_long_string(self) -> None:
        """A string of 300 MiB in some hundred KB of gzip is refused, by the ceiling of strings or that of memory."""
        packed = io.BytesIO()
        with gzip.open(packed, "wb", compresslevel=1) as file:
            file.write(b'{"packages": [{"pkg": {"name": "')
            for _ in range(300):
                file.write(b"x" * MIB)
            file.write(b'"}}]}')
        replies, code = self.run_jobs(self.job(packed.getvalue(), "secdb"))
        self.assertEqual(
            ([str(reply.error) for reply in replies], code),
            (["a string, or what is between two, is longer than 1048576 bytes"], 0),
        )

    def test_memory(self) -> None:
        """A list that needs more memory than the ceiling is told so, and ends the worker."""
        replies, code = self.run_jobs(self.job(b"[" + b"[]," * MIB + b"0]"), mib=24)
        self.assertEqual((replies, code), ([WorkerReply(is_out_of_memory=True)], 1))

    def test_imports(self) -> None:
        """A worker has imported neither Twisted nor SQLAlchemy nor zope.interface, whatever kind it parses."""
        code = (
            "import sys, importlib, patches.sources.worker.__main__, patches.sources.parsing as parsing\n"
            "[importlib.import_module(each) for each in parsing.LISTS.values()]\n"
            "print({'twisted', 'sqlalchemy', 'zope.interface', 'treq', 'klein'} & set(sys.modules))"
        )
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        self.assertEqual(ran.stdout, "set()\n")

    def test_ends_with_its_parent(self) -> None:
        """A worker whose parent was killed ends at once, also in the middle of a list."""
        fifo = self.folder / "endless"
        os.mkfifo(fifo)
        part = FeedPart("x", ("x",))
        job = ParseJob("ndjson", "own", part, (fifo,), self.folder / "own.regroup")
        code = (
            "import os, subprocess, sys, time\n"
            "command = [sys.executable, '-m', 'patches.sources.worker', str(os.getpid()), '50000000', '60']\n"
            "child = subprocess.Popen(command, stdin=subprocess.PIPE)\n"
            "child.stdin.write(sys.argv[1].encode() + b'\\n'); child.stdin.flush()\n"
            "print(child.pid, flush=True); time.sleep(60)"
        )
        parent = start([sys.executable, "-c", code, job.to_json()], stdout=subprocess.PIPE)
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        writer = fifo.open("wb")  # opened when the worker reads it
        self.addCleanup(writer.close)
        parent.kill()
        end(parent)
        parent.stdout.close()
        deadline = time.monotonic() + 10
        while _is_running(child):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
