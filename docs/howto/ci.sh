.venv/bin/patches scan --root /mnt/image --host golden-image-7 --fail-on high --format sarif --output patches.sarif --quiet
