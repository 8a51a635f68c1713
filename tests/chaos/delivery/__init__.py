"""Errors between a list and its readers: links, ends of processes, outages."""
