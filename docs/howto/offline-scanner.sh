python3 -m venv /opt/patches
/opt/patches/bin/pip install --no-index --find-links ../wheelhouse .
