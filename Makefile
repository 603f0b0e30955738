# The two commands to know are `make demo` and `make test`. All that is needed is Python 3.11, git and make.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
SHELL := /bin/bash

# The first of these that runs and is new enough; `make demo PYTHON=/path/to/python` overrides it.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: help demo test lint docs matrix browser screenshots bench calibrate clean

help:
	@echo "make demo         audit a made-up set with planted habits, and see them found"
	@echo "make test         style, types, import contracts, docs and tests"
	@echo "make lint         style, types and import contracts alone"
	@echo "make docs         build the documentation into docs/_build/html"
	@echo "make matrix       the plugin under every pytest that it supports, with and without xdist"
	@echo "make browser      the report driven in a browser (a Chromium is needed)"
	@echo "make screenshots  the pictures of the report in docs/, taken anew"
	@echo "make bench        time annqc beside other programs"
	@echo "make calibrate    error rates and power of the statistics, at full size"
	@echo "make clean        remove caches and builds (the environment in $(VENV) stays)"

demo: $(VENV)/.installed
	@$(BIN)/annqc demo

test: lint docs $(VENV)/.installed-matrix
	@echo "==> tests"
	@HYPOTHESIS_PROFILE=ci $(BIN)/python -m pytest -q -n 2 --dist loadfile

lint: $(VENV)/.installed-dev
	@echo "==> style"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@echo "==> types"
	@$(BIN)/mypy
	@echo "==> import contracts"
	@$(BIN)/lint-imports --no-logo

docs: $(VENV)/.installed-dev
	@echo "==> documentation"
	@$(BIN)/python -m sphinx -W --keep-going -q docs docs/_build/html
	@echo "docs/_build/html/index.html"

matrix: $(VENV)/.installed-dev $(VENV)/.installed-matrix
	@$(BIN)/python -m pytest -q tests/plugin/test_versions.py

# Once this is installed, `make test` drives the browser too; without it those tests are skipped.
browser: $(VENV)/.installed-browser
	@ANNQC_BROWSER=required $(BIN)/python -m pytest -q tests/report/html tests/report/scorecard

screenshots: $(VENV)/.installed-browser
	@$(BIN)/python -m tests.report.html.screenshots

bench: $(VENV)/.installed-bench
	@$(BIN)/python -m tests.bench

calibrate: $(VENV)/.installed-dev
	@$(BIN)/python -m tests.calibration

clean:
	rm -rf build dist docs/_build docs/reference/api annqc-demo
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find annqc pytest_annqc tests docs -name __pycache__ -type d -prune -exec rm -rf {} +

# One stamp an install, so that nothing is installed twice. Dependency groups need pip 25.1.
$(VENV)/bin/python:
	@if [ -z "$(PYTHON)" ]; then echo "annqc needs Python 3.11 or newer: make PYTHON=/path/to/python" >&2; exit 2; fi
	@echo "==> making the environment $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --upgrade 'pip>=25.1'

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	@echo "==> installing annqc and what it needs (once)"
	@$(PIP) install --editable .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(VENV)/bin/python
	@echo "==> installing annqc, its tools and the peers that tests compare with (once)"
	@$(PIP) install --editable '.[dev]' --group peers
	@$(PIP) install --no-deps --group peers-bare
	@touch $@ $(VENV)/.installed

# Each pytest in a folder of its own, to be put in front of sys.path; 8.2 is one that is too old.
MATRIX := 8.2 8.4 9.0 9.2
$(VENV)/.installed-matrix: pyproject.toml | $(VENV)/bin/python
	@echo "==> installing pytest $(MATRIX) for the plugin's tests (once)"
	@rm -rf $(VENV)/matrix
	@for version in $(MATRIX); do \
		$(PIP) install --target $(VENV)/matrix/$$version "pytest==$$version.*" "pytest-xdist>=3.6" || exit 1; \
	done
	@touch $@

$(VENV)/.installed-browser: pyproject.toml | $(VENV)/.installed-dev
	@echo "==> installing what drives a browser (once)"
	@$(PIP) install --group browser
	@touch $@

$(VENV)/.installed-bench: pyproject.toml | $(VENV)/.installed-dev
	@echo "==> installing the programs that the benchmarks compare with (once)"
	@$(PIP) install --group peers-heavy
	@touch $@
