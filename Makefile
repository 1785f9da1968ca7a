# Two commands: `make demo` and `make test`. Both set up .venv first; nothing is done again when it is up to date.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.ready
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: docs env demo test lint lowest sanitize wheel check-wheel image bench tables check-results clean

env: $(STAMP)

NATIVE := CMakeLists.txt $(wildcard src/sparsine/engines/csrc/*)

$(STAMP): pyproject.toml constraints.txt $(NATIVE)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: sparsine needs Python 3.11 or later, but $(PYTHON) is $$($(PYTHON) --version 2>&1); try: make PYTHON=python3.11 ..."; exit 2; }
	@test -x $(BIN)/python || { echo "making the environment .venv (once; a few minutes)"; $(PYTHON) -m venv .venv; }
	@echo "installing sparsine and what it needs from constraints.txt"
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: env
	@rm -rf demo
	bash scripts/demo.sh $(BIN)/sparsine demo

test: env
	$(BIN)/python -m pytest

lint: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Does it work with the lowest version of everything that pyproject.toml allows? In an environment of its own; Python 3.11
# or 3.12. torch is taken as in constraints.txt, since Linux builds of older ones bring CUDA (3 GB): TORCH=2.5 for the lowest.
TORCH ?= $(shell sed -n "s/^torch==//p" constraints.txt)
LOWEST := build/lowest

lowest:
	@echo "making the environment $(LOWEST) with torch $(TORCH) and the lowest versions of all else"
	@$(PYTHON) -m venv --clear $(LOWEST)
	@$(PYTHON) scripts/lowest_versions.py torch=$(TORCH) > $(LOWEST)/constraints.txt
	@$(LOWEST)/bin/python -m pip install --quiet --constraint $(LOWEST)/constraints.txt ".[dev]"
	bash scripts/smoke.sh $(LOWEST)/bin

# The engine's tests under AddressSanitizer and UndefinedBehaviorSanitizer
sanitize: env
	PYTHON=$(BIN)/python bash scripts/sanitize.sh

# A wheel for this machine, and the sources as one file, in dist/
wheel: env
	@$(BIN)/python -m pip install --quiet build
	$(BIN)/python -m build
	$(BIN)/python scripts/check_wheel.py dist/*

# The same from scratch, and whether it works in an empty environment without a compiler
check-wheel:
	PYTHON=$(PYTHON) bash scripts/check_wheel.sh

# An image that runs the demo (docs/installing.md). TORCH_INDEX: where pip finds torch without CUDA, which is a tenth of it
image:
	docker build --build-arg TORCH_INDEX=$(TORCH_INDEX) --tag sparsine .

# Records of how fast we are beside plain PyTorch, for a quiet machine: about half an hour, most of it plain PyTorch
bench: env
	$(BIN)/sparsine bench engines --batches 1 3 16 --repeats 3 --json results/benchmarks/engines.json
	$(BIN)/sparsine bench decode --repeats 7 --json results/benchmarks/decode.json
	$(BIN)/sparsine bench meta --repeats 2 --json results/benchmarks/meta.json
	$(BIN)/sparsine bench engines --width 64 --resolution 64x64 --batches 1 3 16 --repeats 15 --json results/benchmarks/engines-64.json
	SPARSINE_INSTRUCTIONS=avx2 $(BIN)/sparsine bench engines --repeats 3 --json results/benchmarks/engines-avx2.json
	$(BIN)/sparsine bench fit --repeats 1 --plain-signals 1 --densities 0.0115 0.05 0.1 0.2 --json results/benchmarks/fit.json
	$(BIN)/sparsine bench fit --repeats 1 --plain-signals 1 --densities 1 0.5 --steps 20 --json results/benchmarks/fit-full.json
	$(BIN)/python benchmarks/linear_cost.py --json results/benchmarks/linear_cost.json --figure docs/pictures/linear_cost.png
	$(BIN)/python benchmarks/many_inner_steps.py --json results/benchmarks/many_inner_steps.json
	$(BIN)/python benchmarks/engine_choice.py --json results/benchmarks/engine_choice.json
	$(BIN)/python benchmarks/module.py --json results/benchmarks/module.json
	$(BIN)/python benchmarks/ranks.py --json results/benchmarks/ranks.json

tables: env
	$(BIN)/python scripts/make_tables.py

# Are all tables and figures what the records in results/ say?
check-results: env
	$(BIN)/python scripts/make_tables.py --check

# The documents as a site that is read offline, in build/site; fails where a link leads nowhere
docs: env
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build
	@echo "look at: $(CURDIR)/build/site/index.html"

clean:
	rm -rf .venv demo build dist
