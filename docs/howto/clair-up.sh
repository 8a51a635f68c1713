docker compose -f etc/docker-compose.yml up -d
curl http://127.0.0.1:6060/v1/namespaces
