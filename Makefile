# Two commands do everything: `make demo` and `make test`. Both make .venv first.

PYTHON ?= python3
VENV ?= .venv
#: Tests that run at once. Many of them wait for processes, so one more than there are cores.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
CODE := setup.py pyproject.toml README.rst $(shell find patches twisted_plugins -type f -not -name '*.pyc' 2>/dev/null)
PIP := $(VENV)/bin/pip --disable-pip-version-check --quiet
# Strict: the installation lists twistd plugins too, which a plain editable one does not.
EDITABLE := --config-settings editable_mode=strict --editable
# How tests are distributed is in tests/conftest.py.
PYTEST := -m pytest --numprocesses $(WORKERS)
# A part that is quick and needs no data and no network: the tests that trial runs too.
QUICK := tests.http tests.reporter tests.service tests.storage tests.versions.test_apk tests.versions.test_rpm \
	tests.server.sessions tests.server.http tests.scanner.client tests.scanner.reporting \
	tests.test_cvss tests.test_settings tests.test_vulnerability tests.test_wire
LOWEST := .venv-lowest

# 0-checkout.pth lets trial, which does not look in the working folder, import the tests.
.PHONY: demo test test-lowest trial mutants guarantees lint docs man changelog clean

demo: $(VENV)/.demo
	$(VENV)/bin/patches demo

test: $(VENV)/.test
	$(VENV)/bin/python $(PYTEST)

# Everything but whole daemons and real data, with the lowest versions that setup.py allows.
test-lowest: $(LOWEST)/.test
	TEST_SHARED=absent $(LOWEST)/bin/python $(PYTEST) --ignore tests/integration --ignore tests/chaos --ignore tests/field

# Trial is what the tests are written for; a part of them shows that they still run under it.
trial: $(VENV)/.test
	$(VENV)/bin/trial --temp-directory=build/_trial_temp $(QUICK)

# The tests of the modules that decide, under small errors in these: see tests/mutants.py.
mutants: $(VENV)/.test
	$(VENV)/bin/python -m tests.mutants

# Every attack of tests/chaos and tests/field, and one table of what was promised, tried and seen. PARTS="killer outage" runs
# some of them, ARGS=--short small ones, ARGS=--list prints their names. A run that was interrupted goes on where it was.
guarantees: $(VENV)/.test
	$(VENV)/bin/python -m tests.guarantees $(PARTS) $(ARGS)

lint: $(VENV)/.lint
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/python -m tests.language
	$(VENV)/bin/mypy
	$(VENV)/bin/towncrier build --draft --version unreleased > /dev/null

docs: $(VENV)/.docs
	$(VENV)/bin/sphinx-build -q -E -W --keep-going -b html docs docs/_build/html

# Manual pages of all commands and daemons, from what --help has: man -l build/man/patches-scan.1
man: $(VENV)/.docs
	rm -rf build/man build/man-source
	$(VENV)/bin/python docs/_extensions/manual.py build/man-source
	$(VENV)/bin/sphinx-build -q -E -W --keep-going -b man -c docs -d build/man-source/.doctrees build/man-source build/man

# At a release: moves what is in changelog.d into CHANGELOG.rst.
changelog: $(VENV)/.lint
	$(VENV)/bin/towncrier build --yes

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(VENV)/bin/python $(CODE)
	$(PIP) install $(EDITABLE) '.[all]'
	touch $@

# 0-checkout.pth lets trial, which does not look in the working folder, import the tests.
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

$(LOWEST)/.test: $(VENV)/.test tests/lowest.py
	$(PYTHON) -m venv --clear $(LOWEST)
	$(VENV)/bin/python tests/lowest.py > $(LOWEST)/constraints.txt
	$(LOWEST)/bin/pip --disable-pip-version-check --quiet install --constraint $(LOWEST)/constraints.txt '.[test]'
	touch $@

clean:
	rm -rf .venv .venv-* $(VENV) build dist *.egg-info docs/_build
