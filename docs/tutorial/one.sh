.venv/bin/patches scan --list patches/demo/sample.ndjson --root patches/demo/host --host sample-host
