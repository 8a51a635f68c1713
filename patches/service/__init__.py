"""The parts that daemons and commands share: twistd options, listening, periodic calls, threads, one-shot runs."""
