# Two commands: `make demo` and `make test`. Both set up .venv first; nothing is done again when it is up to date.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.ready
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: env demo test lint tables clean

env: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: sparsine needs Python 3.11 or later, but $(PYTHON) is $$($(PYTHON) --version 2>&1); try: make PYTHON=python3.11 ..."; exit 2; }
	@test -x $(BIN)/python || { echo "making the environment .venv (once; a few minutes)"; $(PYTHON) -m venv .venv; }
	@echo "installing sparsine and what it needs from constraints.txt"
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: env
	@rm -rf demo
	$(BIN)/sparsine learn curves --out demo/run --recipe quick
	$(BIN)/sparsine report demo/run
	$(BIN)/sparsine fit demo/run curves --limit 6 --out demo/fitted
	@echo; echo "look at: $(CURDIR)/demo/run/report.html"
	@echo "     and $(CURDIR)/demo/fitted/pictures (original | fitted | error)"

test: env
	$(BIN)/python -m pytest

lint: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

tables: env
	$(BIN)/python scripts/make_tables.py

clean:
	rm -rf .venv demo build dist
