"""What a scan shows: documents for programs, tables for people, exit codes."""
