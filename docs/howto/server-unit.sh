install -D -m 644 etc/patches-server.toml /etc/patches/patches-server.toml
install -m 644 etc/patches-server.service /etc/systemd/system/
systemctl daemon-reload
systemctl enable --now patches-server
journalctl -u patches-server
