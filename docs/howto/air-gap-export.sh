.venv/bin/patches catalogue keygen bundle.key
.venv/bin/patches catalogue export lists.bundle --state-dir build/state/server --signing-key bundle.key
