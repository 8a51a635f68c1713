.venv/bin/patches scan --ignore ignore.toml
