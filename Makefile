# What one can do here. Needs Python 3.11 or later and make; everything else is installed below this folder.

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
.PHONY: help demo up test fast lint types bench faults mutants docs clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/.run ## Run the main job on examples/purchases.jsonl, all in one, and show where each number ended
	$(BIN)/didflow demo $(ARGS)

up: .venv/.run ## Start everything on this machine and stay (ARGS="--json" for programs)
	$(BIN)/didflow up $(ARGS)

test: lint ## Lint, then run every test on real PostgreSQL and real Kafka
	$(BIN)/pytest -q $(ARGS)

fast: .venv/.dev ## Run the tests that need no database and no broker
	PYTHONPATH=tests $(BIN)/pytest -q -p fast $(ARGS)

lint: types ## Check style, types and walls
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: .venv/.dev ## Check types alone
	$(BIN)/mypy $(PACKAGES)

bench: .venv/.bench ## Measure against lean references, about 10 minutes (ARGS="stage relay --rounds 3")
	PYTHONPATH=tests $(BIN)/python -m bench $(ARGS)

profile: .venv/.bench ## Show where a worker's time goes (ARGS="billing --batch 500")
	PYTHONPATH=tests $(BIN)/python -m bench.profile $(ARGS)

faults: .venv/.dev ## Break things at random for DIDFLOW_FAULT_MINUTES (10), from DIDFLOW_SEED; print the report
	DIDFLOW_FAULT_MINUTES=$${DIDFLOW_FAULT_MINUTES:-10} $(BIN)/pytest -q -m faults $(ARGS)

mutants: .venv/.dev ## Take each protection away in turn; a test must notice
	$(BIN)/python tests/mutants/run.py

docs: .venv/.dev ## Write each service's OpenAPI, AsyncAPI and settings to build/docs
	@mkdir -p build/docs
	@set -e; for service in $(SERVICES); do \
		$(BIN)/didflow-$$service openapi > build/docs/$$service.openapi.json; \
		$(BIN)/didflow-$$service asyncapi > build/docs/$$service.asyncapi.json; \
		$(BIN)/didflow-$$service settings > build/docs/$$service.settings.md; \
	done
	@ls build/docs

clean: ## Remove everything that was installed or built
	rm -rf .venv .uv .cache build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .didflow
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The demo installs only what it runs; the tests add to the same environment and nothing is taken away.
.venv/.run: $(LOCKED) | $(UV)
	@echo "Installing into .venv: only the first time, and after a change of uv.lock"
	@$(UV) sync --quiet --frozen --inexact --no-dev --package didflow
	@touch $@

.venv/.dev: $(LOCKED) | $(UV)
	@echo "Installing into .venv, tools and tests included: only the first time, and after a change of uv.lock"
	@$(UV) sync --quiet --frozen --inexact --all-packages
	@touch $@

.venv/.bench: .venv/.dev
	@$(UV) sync --quiet --frozen --inexact --all-packages --group bench
	@touch $@

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or later is needed: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv .uv && .uv/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION) || { rm -rf .uv; \
		echo "uv could not be installed. '$(PYTHON) -m venv' has to work (Debian, Ubuntu: apt install python3-venv)"; \
		echo "and PyPI has to be reachable."; exit 1; }
