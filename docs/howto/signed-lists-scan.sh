.venv/bin/patches scan --verify-key lists.key.pub --state-dir state/scanner
