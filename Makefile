# make run    solve the rock-bottom scenario, print its paths, write figures and data to results/
# make test   every test and every example in a docstring
# make check  lint, format, types, floors, docstrings      make docs   the manual, in build/docs
# make bench  speed against other programs                 make study  every experiment
# make clean  remove everything that the others made
#
# Each target installs only what it needs into .venv. Another interpreter: make PYTHON=python3.12 run
.DELETE_ON_ERROR:
.DEFAULT_GOAL := run
.PHONY: run test check docs bench study clean constraints

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet --only-binary :all: -c constraints.txt

# numba's cache follows edits of a kernel's own file only, so each state of the sources has its own.
DIGEST := $(shell $(PYTHON) -c 'import hashlib, pathlib; files = sorted(pathlib.Path("sim").rglob("*.py")); print(hashlib.sha256(b"".join(str(p).encode() + b"\0" + p.read_bytes() for p in files)).hexdigest())' 2>/dev/null)
export NUMBA_CACHE_DIR := $(CURDIR)/build/numba/$(or $(DIGEST),unknown)
export MPLBACKEND := Agg

SCENARIO   := scenarios/rock_bottom.toml
EXPERIMENT := experiments/rock_bottom.toml

run: $(VENV)/.run
	$(BIN)/sim solve $(SCENARIO)
	$(BIN)/sim paths $(SCENARIO)
	$(BIN)/sim run --fresh $(EXPERIMENT)

test: $(VENV)/.tests $(VENV)/.oracle
	$(BIN)/python -m pytest -n 2

check: $(VENV)/.check $(VENV)/.tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports
	$(BIN)/interrogate --quiet sim

docs: $(VENV)/.docs
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs build/docs
	@echo "The manual is in build/docs/index.html"

bench: $(VENV)/.bench
	$(BIN)/python tests/bench/run.py

study: $(VENV)/.run
	@set -e; for experiment in experiments/*.toml; do \
		echo "sim run $$experiment"; $(BIN)/sim run --fresh "$$experiment"; done
	$(BIN)/python tests/study.py

clean:
	rm -rf $(VENV) build dist results .hypothesis .import_linter_cache .pytest_cache .ruff_cache
	find sim tests docs -name __pycache__ -type d -prune -exec rm -rf {} +

# Renew the pins (needs uv); run it after an edit of the dependencies in pyproject.toml.
constraints:
	uv pip compile pyproject.toml --universal --python-version 3.11 --all-extras --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --upgrade --quiet -o constraints.txt

# --- the environment: one stamp for each set of packages -------------------------------------------

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "make: Python 3.11 or newer is needed, and '$(PYTHON)' is $$($(PYTHON) --version 2>/dev/null || echo not there)." >&2; \
		echo "make: name another with, for instance, make PYTHON=python3.12 run" >&2; exit 1; }
	@echo "Making $(VENV)"
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.run: pyproject.toml constraints.txt $(VENV)/.made
	@echo "Installing escalation-sim into $(VENV)"
	@$(PIP) -e .
	@touch $@

$(VENV)/.tests $(VENV)/.check $(VENV)/.docs: $(VENV)/.%: $(VENV)/.run
	@echo "Installing what make $* needs into $(VENV)"
	@$(PIP) -e '.[$*]'
	@touch $@

# Not every platform has wheels of other people's programs. Without them their tests are skipped and
# their benchmarks left out, with the reason; where CI is set they must be there, or a broken download
# would pass for a green run.
$(VENV)/.oracle $(VENV)/.bench: $(VENV)/.%: $(VENV)/.run
	@echo "Installing the programs that make $(if $(filter oracle,$*),test,bench) compares with into $(VENV)"
	@$(PIP) -e '.[$*]' || { test -z "$$CI" && echo "make: not to be had here; going on without" >&2; }
	@touch $@
