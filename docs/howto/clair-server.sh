.venv/bin/twistd --nodaemon --pidfile= patches-server --state-dir build/state/server --clair http://127.0.0.1:6060
