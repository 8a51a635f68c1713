"""The output of a scan: documents for programs, tables for people, and exit codes."""
