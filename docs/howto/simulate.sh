.venv/bin/patches simulate --server http://127.0.0.1:8080 --platform debian-10 --scanners 500
