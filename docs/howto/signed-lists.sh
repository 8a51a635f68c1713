.venv/bin/patches catalogue keygen lists.key
.venv/bin/twistd --nodaemon --pidfile= patches-server --state-dir build/state/server --list list.ndjson --signing-key lists.key
