.venv/bin/patches catalogue import lists.bundle --state-dir build/state/inside --verify-key bundle.key.pub
.venv/bin/twistd --nodaemon --pidfile= patches-server --state-dir build/state/inside --no-public-sources
