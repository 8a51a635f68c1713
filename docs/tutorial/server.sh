.venv/bin/twistd --nodaemon --pidfile= patches-server --state-dir build/tutorial/server --list patches/demo/sample.ndjson --no-public-sources
