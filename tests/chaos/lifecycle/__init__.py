"""Starts, ends and long runs of processes, and clocks that are moved."""
