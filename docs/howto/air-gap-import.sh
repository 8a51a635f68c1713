.venv/bin/patches catalogue import lists.bundle --state-dir state/inside --verify-key bundle.key.pub
.venv/bin/twistd --nodaemon --pidfile= patches-server --state-dir state/inside --no-public-sources
