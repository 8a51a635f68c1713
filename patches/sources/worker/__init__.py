"""
The worker: a process of its own that unpacks and parses what a source sent, below ceilings of memory and time.

Theory of operation. The server sends a :class:`~patches.sources.parse_job.ParseJob` as a line to the worker's standard
input. The worker (:mod:`~patches.sources.worker.__main__`), which imports neither Twisted nor SQLAlchemy, writes the
records to a :mod:`~patches.sources.worker.staged_file`, and answers with a line. The server reads that file as it reads
anything that a stranger sent. Whatever a list does to the worker (it runs out of memory or time, it crashes) is an
error of that list; the worker is replaced. One worker parses all lists of a source, one after the other.
"""
