# Everything happens in .venv, made once. Needs Python 3.11 or newer, make and a package registry.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Two workers, a file at a time, so that files share what they trained.
PYTEST_ARGS ?= -n 2 --dist loadfile --no-loadscope-reorder
# pip may be asked for more, e.g. make setup EXTRAS=dev,backends
EXTRAS ?= dev
# How long make soak lasts
SECONDS ?= 600
# What make bench runs
BENCH ?= training inference detection startup folder
# Runs of make fuzz for each of its targets
RUNS ?= 100000
# What make kills is asked: names of commands, -k kills of each
KILLS ?=
# Python compiles what it imports once and keeps it, whatever the shell says: TensorFlow takes 6 s instead of 17.
export PYTHONDONTWRITEBYTECODE :=
comma := ,
STAMP := $(VENV)/.installed-$(subst $(comma),-,$(EXTRAS))

# Data and weights beside the repository are used where they are.
SHARED := $(wildcard ../shared)
ifneq ($(SHARED),)
export GAFAS_DATA ?= $(abspath $(SHARED)/data)
export GAFAS_WEIGHTS ?= $(abspath $(SHARED)/weights)
endif

.PHONY: help setup demo model nano test check format bench soak kills notebook docs hostile fuzz build reproducible bare clean
.DEFAULT_GOAL := help

help: ## Show what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

setup: $(STAMP) ## Make .venv with everything that development needs

$(STAMP): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "gafas needs Python 3.11 or newer: make setup PYTHON=python3.12"; rm -rf $(VENV); exit 1; }
	$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check -c constraints.txt -e '.[$(EXTRAS)]'
	@touch $@

demo: setup ## The notebook end to end: train, evaluate, export, compare
	$(BIN)/gafas reproduce

# An interrupted training goes on where it was.
model: setup ## Rebuild the shipped model from the data
	@if [ -f runs/gafas-base/config.json ]; then $(BIN)/gafas train --resume runs/gafas-base; \
	else $(BIN)/gafas train --recipe gafas --weights packaged --output runs/gafas-base; fi
	$(BIN)/python tools/make_model.py runs/gafas-base src/gafas/assets/gafas-base

# Its teacher is the shipped model: after that one.
nano: setup ## Rebuild the shipped small model
	@if [ -f runs/gafas-nano/config.json ]; then $(BIN)/gafas train --resume runs/gafas-nano; \
	else $(BIN)/gafas train --recipe nano --output runs/gafas-nano; fi
	$(BIN)/python tools/make_model.py runs/gafas-nano src/gafas/assets/gafas-nano --name gafas-nano --int8-only

test: setup ## Run all tests
	$(BIN)/python -m pytest $(PYTEST_ARGS)

check: setup ## Ruff, mypy and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup ## Measure: training, one crop, faces, start-up, folders; BENCH="explain scale serve video" for others
	@for name in $(BENCH); do \
		$(BIN)/python benchmarks/$$name.py || exit 1; echo; done

soak: setup ## The server under good and hostile clients for SECONDS=600: does it keep its memory and files?
	$(BIN)/python benchmarks/soak.py --seconds $(SECONDS)

kills: setup ## Kill commands -9, go on, compare (hours); KILLS="predict -k 5" for fewer
	$(BIN)/python tools/kill_and_resume.py $(KILLS)

notebook: setup ## Run the Spanish notebook and keep its outputs (3 min)
	$(BIN)/python tools/run_notebook.py notebooks/identificacion_gafas.ipynb

docs: setup ## Write docs/cli.md from the commands' own help
	$(BIN)/python tools/make_cli_docs.py docs/cli.md

hostile: setup ## Judge 6,000 hostile and damaged images and watch: time, memory, rows (5 min)
	$(BIN)/python -m tests.hostile

fuzz: setup ## Fuzz images, manifests and file names; RUNS=1000000 for longer
	@for target in image manifest name split archive; do $(BIN)/python -m tests.fuzz $$target --runs $(RUNS) || exit 1; done

build: setup ## Build wheel, sdist and their list of parts (SBOM) into dist/
	$(BIN)/python tools/build.py dist

reproducible: setup ## Build everything twice and compare
	$(BIN)/python tools/build.py --twice

bare: build ## Install wheel and sdist into bare environments and try them
	$(BIN)/python tools/try_bare.py dist/*.whl dist/*.tar.gz

clean: ## Remove what was made, but not .venv and runs/
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage htmlcov
	find src tests tools benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
