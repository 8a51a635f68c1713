# Two commands do everything: `make demo` and `make test`. Both make .venv first.

PYTHON ?= python3
VENV := .venv
CODE := setup.py pyproject.toml README.rst $(shell find patches twisted_plugins -type f -not -name '*.pyc' 2>/dev/null)
PIP := $(VENV)/bin/pip --disable-pip-version-check --quiet
# Strict: the installation lists twistd plugins too, which a plain editable one does not.
EDITABLE := --config-settings editable_mode=strict --editable

# 0-checkout.pth lets trial, which does not look in the working folder, import the tests.
.PHONY: demo test trial mutants lint docs clean

demo: $(VENV)/.demo
	$(VENV)/bin/patches demo

test: $(VENV)/.test
	$(VENV)/bin/python -m pytest

# The same tests under trial; what only pytest can run is left out.
trial: $(VENV)/.test
	$(VENV)/bin/trial --temp-directory=build/_trial_temp tests

# The tests of the modules that decide, under small errors in these: see tests/mutants.py.
mutants: $(VENV)/.test
	$(VENV)/bin/python -m tests.mutants

lint: $(VENV)/.lint
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

docs: $(VENV)/.docs
	$(VENV)/bin/sphinx-build -q -W --keep-going -b html docs docs/_build/html

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(VENV)/bin/python $(CODE)
	$(PIP) install $(EDITABLE) .
	touch $@

$(VENV)/.test: $(VENV)/bin/python $(CODE)
	$(PIP) install $(EDITABLE) '.[test]'
	$(VENV)/bin/python -c 'import site; open(site.getsitepackages()[0] + "/0-checkout.pth", "w").write("$(CURDIR)\n")'
	touch $@ $(VENV)/.demo

$(VENV)/.lint: $(VENV)/.test
	$(PIP) install $(EDITABLE) '.[test,lint]'
	touch $@

$(VENV)/.docs: $(VENV)/.demo
	$(PIP) install $(EDITABLE) '.[docs]'
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info docs/_build
