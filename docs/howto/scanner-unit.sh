install -D -m 644 etc/patches-scanner.toml /etc/patches/scanner.toml
install -m 644 etc/patches-scanner.service /etc/systemd/system/
systemctl daemon-reload
systemctl enable --now patches-scanner
