.venv/bin/twistd --nodaemon --pidfile= patches-server --state-dir build/state/server --list patches/demo/sample.ndjson --memory-limit 1MiB
