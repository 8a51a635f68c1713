install -D -m 600 reports.backup build/state/restored/reports.sqlite
