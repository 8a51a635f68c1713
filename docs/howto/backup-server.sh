.venv/bin/patches catalogue export catalogue.bundle --state-dir build/state/server
