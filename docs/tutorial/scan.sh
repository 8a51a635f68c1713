.venv/bin/patches scan --root patches/demo/host --host sample-host --state-dir build/tutorial/scanner --reporter http://127.0.0.1:8090/v1/reports
