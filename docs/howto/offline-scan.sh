.venv/bin/patches scan --source osv=/srv/osv
.venv/bin/patches scan --offline
