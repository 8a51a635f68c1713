.venv/bin/twistd --nodaemon --pidfile= patches-server --state-dir build/state/server --list list.ndjson --no-public-sources
