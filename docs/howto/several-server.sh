# As root, in a checkout; session.key is made once (head -c 32 /dev/urandom), and is the same on every host.
/opt/patches/bin/pip install '.[server,postgresql]'
install -D -m 600 session.key /etc/patches/session.key
install -m 600 /dev/null /etc/patches/postgresql.env
echo "PGPASSWORD=$PASSWORD" > /etc/patches/postgresql.env
install -m 644 etc/patches-server.service /etc/systemd/system/
install -D -m 644 docs/howto/several-servers.conf /etc/systemd/system/patches-server.service.d/several.conf
systemctl daemon-reload
systemctl enable --now patches-server
