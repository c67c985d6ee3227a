# The commands of this project. You need Python 3.11 or later and make. Everything else is installed in this folder.

PYTHON ?= python3
UV_VERSION := 0.13.8
UV := .uv/bin/uv
BIN := .venv/bin
SERVICES := inventory verification billing provisioning
PACKAGES := $(sort $(patsubst %/,%,$(dir $(wildcard */didflow*/__init__.py services/*/didflow*/__init__.py))))
LOCKED := uv.lock pyproject.toml $(wildcard */pyproject.toml services/*/pyproject.toml)

export UV_PYTHON_DOWNLOADS := never
export UV_PYTHON := $(PYTHON)
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo up test fast tenants lint types bench profile faults fuzz scale mutants docs clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/.run ## Run the main job on examples/purchases.jsonl and show the result for each number
	$(BIN)/didflow demo $(ARGS)

up: .venv/.run ## Start everything on this machine and run until Ctrl-C (ARGS="--json" for programs)
	$(BIN)/didflow up $(ARGS)

test: lint ## Lint, then run every test on real PostgreSQL and real Kafka
	$(BIN)/pytest -q $(ARGS)

fast: .venv/.dev ## Run the tests that need no database and no broker
	PYTHONPATH=tests $(BIN)/pytest -q -p fast $(ARGS)

tenants: .venv/.dev ## Ask all routes with all roles about own, foreign and absent things, and print the table
	PYTHONPATH=tests $(BIN)/pytest -q -p tenancy.table tests/tenancy tests/test_roles.py $(ARGS)

lint: types ## Check style, types and imports between packages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: .venv/.dev ## Check types only
	$(BIN)/mypy $(PACKAGES)

bench: .venv/.bench ## Measure against minimal references, about 19 minutes (ARGS="stage relay --rounds 3")
	PYTHONPATH=tests $(BIN)/python -m bench $(ARGS)

profile: .venv/.bench ## Show which functions use a worker's time (ARGS="billing --batch 500")
	PYTHONPATH=tests $(BIN)/python -m bench.profile $(ARGS)

faults: .venv/.dev ## Inject random faults for DIDFLOW_FAULT_MINUTES (10) with DIDFLOW_SEED and print a report
	DIDFLOW_FAULT_MINUTES=$${DIDFLOW_FAULT_MINUTES:-10} $(BIN)/pytest -q -m faults $(ARGS)

fuzz: .venv/.dev ## Send mutated records and generated requests, and try random histories and all actions of random DIDs
	DIDFLOW_MUTATED=$${DIDFLOW_MUTATED:-10000} DIDFLOW_FUZZ_EXAMPLES=$${DIDFLOW_FUZZ_EXAMPLES:-50} \
	DIDFLOW_HISTORIES=$${DIDFLOW_HISTORIES:-1000} DIDFLOW_OFFERED=$${DIDFLOW_OFFERED:-100000} \
	DIDFLOW_RACES=$${DIDFLOW_RACES:-1000} \
	$(BIN)/pytest -q -s -m "fuzz or not fuzz" tests/faults/test_f24_mutated.py tests/fuzz tests/actions \
		services/*/tests/*/test_histories.py services/provisioning/tests/postgres/test_deletion_races.py $(ARGS)

scale: .venv/.dev ## Renew 100,000 and 1,000,000 due terms beside purchases, with a worker killed; needs gigabytes
	DIDFLOW_WAVE=$${DIDFLOW_WAVE:-100000} DIDFLOW_HOUR=$${DIDFLOW_HOUR:-1000000} \
	DIDFLOW_OUTAGE=$${DIDFLOW_OUTAGE:-10} \
	$(BIN)/pytest -q -s -m "scale or not scale" tests/scale services/billing/tests/postgres/test_outage.py $(ARGS)

mutants: .venv/.dev ## Remove each protection in turn and check that a test fails
	$(BIN)/python tests/mutants/run.py

docs: .venv/.dev ## Write each service's OpenAPI, AsyncAPI and settings to build/docs
	@mkdir -p build/docs
	@set -e; for service in $(SERVICES); do \
		$(BIN)/didflow-$$service openapi > build/docs/$$service.openapi.json; \
		$(BIN)/didflow-$$service asyncapi > build/docs/$$service.asyncapi.json; \
		$(BIN)/didflow-$$service settings > build/docs/$$service.settings.md; \
	done
	@ls build/docs

clean: ## Remove everything that make installed or built
	rm -rf .venv .uv .cache build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .didflow
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The demo installs only what it needs. The tests add to the same environment and remove nothing.
.venv/.run: $(LOCKED) | $(UV)
	@echo "Installing into .venv (only at the first run and after a change of uv.lock)"
	@$(UV) sync --quiet --frozen --inexact --no-dev --package didflow
	@touch $@

.venv/.dev: $(LOCKED) | $(UV)
	@echo "Installing into .venv with tools and tests (only at the first run and after a change of uv.lock)"
	@$(UV) sync --quiet --frozen --inexact --all-packages
	@touch $@

.venv/.bench: .venv/.dev
	@$(UV) sync --quiet --frozen --inexact --all-packages --group bench
	@touch $@

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or later is required. Name one with: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv .uv && .uv/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION) || { rm -rf .uv; \
		echo "uv could not be installed. Check that '$(PYTHON) -m venv' works (Debian, Ubuntu: apt install python3-venv)"; \
		echo "and that PyPI is reachable."; exit 1; }
