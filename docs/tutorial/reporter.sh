.venv/bin/twistd --nodaemon --pidfile= patches-reporter --state-dir build/tutorial/reporter
