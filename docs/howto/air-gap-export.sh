.venv/bin/patches catalogue keygen bundle.key
.venv/bin/patches catalogue export lists.bundle --state-dir state/server --signing-key bundle.key
