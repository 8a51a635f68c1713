.venv/bin/patches scan --verify-key lists.key.pub --state-dir build/state/scanner
