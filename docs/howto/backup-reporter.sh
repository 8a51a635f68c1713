python3 -c 'import sqlite3; sqlite3.connect("build/state/reporter/reports.sqlite").backup(sqlite3.connect("reports.backup"))'
