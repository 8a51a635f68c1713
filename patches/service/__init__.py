"""What all daemons and commands are made of: twistd options, listening, periodic calls, threads, one-shot runs."""
