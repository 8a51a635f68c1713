# As root, in a checkout.
python3 -m venv /opt/patches
/opt/patches/bin/pip install '.[all]'
# Once, so that Twisted's list of plugins is written: a daemon may not write it.
/opt/patches/bin/twistd --help > /dev/null
