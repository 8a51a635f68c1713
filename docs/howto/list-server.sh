.venv/bin/twistd --nodaemon --pidfile= patches-server --state-dir state/server --list list.ndjson --no-public-sources
