"""
The program of a worker: ``python -m patches.sources.worker PARENT DATA_BYTES CPU_SECONDS``.

It reads jobs from its standard input and writes replies to its standard output until its input ends. It imports neither
Twisted nor SQLAlchemy: it is small, and its memory is for the lists.
"""

from __future__ import annotations

import os
import sys
from typing import BinaryIO

from patches.errors import SourceError
from patches.sources.parse_job import ParseJob
from patches.sources.parsing import parse_job
from patches.sources.worker.ceilings import allow_cpu, end_with_parent, set_ceilings
from patches.sources.worker.reply import WorkerReply, Writable, is_out_of_memory
from patches.sources.worker.staged_file import write_staged


def answer(job: ParseJob) -> WorkerReply:
    """Parse a list into a staged file. Return the reply."""
    context = job.context()
    try:
        job.scratch.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_staged(job.staged, parse_job(job, context), context)
    except (MemoryError, SystemError, SourceError, OSError) as error:
        return WorkerReply(is_out_of_memory=True) if is_out_of_memory(error) else WorkerReply(str(error))
    return WorkerReply()


def serve(jobs: BinaryIO, replies: Writable, cpu_seconds: int) -> int:
    """
    Answer jobs until there are no more. Return the exit code.

    :param cpu_seconds: the time of the processor that each job may use.
    """
    for line in jobs:
        allow_cpu(cpu_seconds)
        reply = answer(ParseJob.from_json(line.decode()))
        replies.write(reply.to_line())
        replies.flush()
        if reply.is_out_of_memory:
            return 1
    return 0


def main() -> int:
    """Run the worker. Return the exit code."""
    parent, data_bytes, cpu_seconds = map(int, sys.argv[1:])
    end_with_parent(parent)
    set_ceilings(data_bytes)
    # Whatever a library prints goes to the log of the server, not between the replies.
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return serve(sys.stdin.buffer, replies, cpu_seconds)


if __name__ == "__main__":
    sys.exit(main())
