"""Matching of vulnerabilities with the installed packages: the rules, findings, and decisions to ignore findings."""
