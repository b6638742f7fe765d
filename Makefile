# One command runner for people and for CI. Needs Python 3.10+ and make.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
PEERS  := build/peers
# As many tests at a time as there are cores.
PARALLEL := --numprocesses auto --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help install demo demo-cluster test soak peers bench macro cover lint format generated wheel clean

help: ## List these targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/'

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,demo,odbc]'
	@touch $@

install: $(STAMP) ## Build .venv with everything

demo: $(STAMP) ## Run the example plain and accelerated, and compare (from nothing)
	$(BIN)/python docs/examples/legacy_wats/demo.py

demo-cluster: $(STAMP) ## Run the example on five PCs at once, with a private PostgreSQL and Redis
	@sh tests/system_packages.sh
	$(BIN)/python docs/examples/legacy_wats/demo_cluster.py

test: $(STAMP) ## All tests; installs Debian's database parts first when it can
	@sh tests/system_packages.sh
	$(BIN)/python -m pytest $(PARALLEL)

soak: $(STAMP) ## The tests whose whole size takes long, whole (an hour and more)
	@sh tests/system_packages.sh
	WATS_ACCEL_SOAK=1 $(BIN)/python -m pytest -m soak --timeout 3600

# In an environment of its own: no test may come to depend on what a rival brings along.
$(PEERS)/.installed: pyproject.toml
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check -e '.[peers,bench]'
	@touch $@

peers: $(PEERS)/.installed ## The freshness suite against other caching libraries (some minutes)
	$(PEERS)/bin/python tests/benchmarks/peers/run.py

bench: $(PEERS)/.installed ## Speed beside other libraries: docs/benchmarks.md anew (some minutes; ARGS=--quick only prints)
	@sh tests/system_packages.sh
	$(PEERS)/bin/python tests/benchmarks/bench.py $(ARGS)

macro: $(PEERS)/.installed ## A day over slow networks: docs/benchmarks-macro.md anew (a quarter of an hour; ARGS=--quick: a minute)
	@sh tests/system_packages.sh
	$(PEERS)/bin/python tests/benchmarks/macro/run_macro.py $(ARGS)

cover: $(STAMP) ## All tests with branch coverage, 95 % or more
	@sh tests/system_packages.sh
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(PARALLEL)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --fail-under=95

lint: $(STAMP) ## ruff, flake8, mypy --strict, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/flake8
	$(BIN)/mypy -p wats_accel
	$(BIN)/mypy plugins
	$(BIN)/lint-imports --no-cache

format: $(STAMP) ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

generated: $(STAMP) ## Write the generated files again: JSON Schema, the example's schema and graph, report
	$(BIN)/wats-accel schema --output config/wats-accel.schema.json
	$(BIN)/wats-accel schema-scan --driver simulation.schema:empty_sqlite --path docs/examples/legacy_wats \
		--output config/wats-schema.yaml
	$(BIN)/wats-accel explain --config config/wats.yaml --source docs/examples/legacy_wats --graph \
		--output docs/examples/legacy_wats/GRAPH.md
	$(BIN)/wats-accel report --config config/wats.yaml --output docs/OPTIMIZATIONS_APPLIED.md

wheel: $(STAMP) ## Build the wheel into dist/
	$(BIN)/python -m build --wheel

clean: ## Remove everything that was built
	rm -rf $(VENV) build dist *.egg-info .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
