"""Benchmarks: each is a program; run it from the root of the checkout with the test installation's Python."""
