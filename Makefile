# Everything a checkout needs; `make` alone lists it. Needs Python >= 3.11 and make, nothing else.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

SCENARIO ?= configs/steady.yaml
DURATION ?= 60s
TARGET ?=

# The first interpreter that is new enough and really runs (a version manager's shim may not).
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for candidate in python3 python3.13 python3.12 python3.11; do \
	$$candidate -c '$(NEW_ENOUGH)' 2>/dev/null && echo $$candidate && break; done)

PIP := .venv/bin/python -m pip --disable-pip-version-check --no-input -qq

## help: list the targets
.PHONY: help
help:
	@sed -n 's/^## //p' Makefile

## setup: create .venv with the pinned packages and the project itself, for use and for development
.PHONY: setup
setup: .venv/.ready-to-test

## run: soak the embedded engine for a minute (DURATION=6h SCENARIO=configs/steady.yaml TARGET=engine)
.PHONY: run
run: .venv/.ready-to-run
	.venv/bin/soak run $(SCENARIO) --duration $(DURATION) $(if $(TARGET),--target $(TARGET))

## clean: remove .venv, build products and caches; soak runs are kept
.PHONY: clean
clean:
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps: made last, so that an interrupted set-up is taken up again and a finished one costs nothing.
# pip is the last file that venv writes.
.venv/bin/pip:
	@test -n "$(PYTHON)" || { \
		echo "soak needs Python 3.11 or newer; found $$(python3 --version 2>&1)." >&2; \
		echo "Install one (Debian 12: apt-get install python3 python3-venv) or name it:" >&2; \
		echo "  make $(MAKECMDGOALS) PYTHON=/path/to/python3.12" >&2; exit 1; }
	@echo "Creating .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -c '$(NEW_ENOUGH)' || { echo "$(PYTHON) is older than Python 3.11." >&2; exit 1; }
	@$(PYTHON) -m venv --clear .venv

.venv/.ready-to-run: requirements/runtime.txt pyproject.toml | .venv/bin/pip
	@echo "Installing what a soak needs (requirements/runtime.txt)"
	@$(PIP) install --require-hashes -r requirements/runtime.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

.venv/.ready-to-test: requirements/test.txt .venv/.ready-to-run
	@echo "Installing what tests and checks need (requirements/test.txt)"
	@$(PIP) install --require-hashes -r requirements/test.txt
	@touch $@
