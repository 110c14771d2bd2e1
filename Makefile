# The short ways: every target sets up what it needs. Nothing but python3 (with venv), git and make is asked for.

PYTHON ?= python3
VENV ?= .venv
ARGS ?=
JOBS ?= 2

bin := $(VENV)/bin
export PATH := $(abspath $(bin)):$(PATH)

.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help demo setup test lint contracts types tests coverage agree docs torture boards cluster-setup cluster-test bench-cluster bench-shared bench-store bench-serve bench-headroom bench-storm soak bench-detect bench-server screenshot format figures clean

step = @printf '\n== %s\n' "$(1)"

help: ## print this list
	@printf 'bimetal: one model, the same bits on every metal.\n\n'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile
	@printf '\n  PYTHON=python3.12 chooses the interpreter, ARGS="..." is handed on, VENV=... is where it installs.\n'

demo: ## set up, then show a living plant: machines, faults, alarms with reasons, on a page
	@.ci/setup $(VENV) run $(PYTHON)
	@bimetal demo $(ARGS)

setup: ## make the virtual environment with everything that tests and docs need
	@.ci/setup $(VENV) work $(PYTHON)

test: setup ## check everything: lint, contracts, types, tests, code blocks of the docs
	@$(MAKE) --no-print-directory --keep-going lint contracts types tests \
	  || { printf '\nNot good: see the first line with "***" or "FAILED" above; each step runs alone, as make lint.\n'; exit 1; }

lint: setup ## style and format (make format mends most of it)
	$(call step,lint: style and format)
	@ruff check . && ruff format --check .

contracts: setup ## floors and walls: which room may import which
	$(call step,contracts: which room may import which)
	@lint-imports --no-logo

types: setup ## types, strictly
	$(call step,types: pyright strict)
	@basedpyright --pythonpath $(bin)/python

tests: setup ## the tests alone; ARGS="tests/program -k ring" picks some
	$(call step,tests)
	@python -m pytest -n $(JOBS) --dist worksteal -q $(ARGS)

coverage: setup ## which lines the tests run, room by room, folder after folder; ARGS="tests/keep" picks one
	@rm -f .coverage .coverage.*
	@failed=; for folder in $(or $(ARGS),$(sort $(wildcard tests/*/))); do \
	  COVERAGE_FILE=$(abspath .coverage) coverage run -m pytest -n $(JOBS) --dist worksteal -q "$$folder" \
	    || [ $$? = 5 ] || failed="$$failed $$folder"; done; \
	  coverage combine --quiet && python -m tests.coverage \
	  && { [ -z "$$failed" ] || { printf '\nFailed tests in:%s\n' "$$failed"; exit 1; }; }

agree: setup ## the proof that all targets give the same bits, a table; ARGS=--all: all of it
	@python -m tests.agree $(ARGS)

docs: setup ## build the documentation into site/
	@python docs/generate.py
	@zensical build --strict --clean
	@rm -rf site/generate.py site/__pycache__
	@printf 'Open site/index.html\n'

torture: setup ## kill what keeps and scores readings, look for losses; ARGS="300 7": kills, seed
	@python -m tests.keep.torture $(ARGS)
	@python -m tests.walks.torture $(ARGS)

boards: setup ## build the packages with Zephyr, ESP-IDF and PlatformIO, where they are, and run them
	@python -m pytest -q -rs tests/targets/packaging $(ARGS)

fuzz: setup ## try hurt bytes on everything that reads any; ARGS="--seconds 600 table live": how long, which
	@python -m tests.fuzz $(ARGS)

cluster-setup: setup ## install NATS, Ray, Flink and moto beside the checkout, for cluster-test (2 GB)
	@python -m tests.cluster.install

cluster-test: cluster-setup ## kill workers and servers of NATS, Ray and Flink, share a store, compare every row
	@python -m pytest -q tests/cluster tests/walks/test_cluster.py tests/keep/test_shared.py tests/keep/test_store.py tests/keep/test_postgres.py $(ARGS)

bench-cluster: setup ## readings a CPU-second of a fleet on JetStream, one worker and two
	@python -m bench.cluster $(ARGS)

bench-shared: setup ## measure what sharing a store costs, beside a folder of one's own
	@python -m bench.shared

bench-store: setup ## measure what is kept: bytes a reading, rates, latencies, beside SQLite and DuckDB
	@python -m bench.store $(ARGS)

bench-server: setup ## time what scoring costs on every engine; ARGS="--river PYTHON" beside river
	@python bench/server.py $(ARGS)

bench-serve: setup ## measure what one server takes in; ARGS="--peers PYTHON" beside Mosquitto and amqtt
	@python bench/serve_load.py $(ARGS)

bench-headroom: setup ## where a server ends, against what headroom predicted on the way
	@python -m bench.headroom $(ARGS)

bench-storm: setup ## let 10,000 devices come back at once over mutual TLS; ARGS="2000": devices
	@python bench/storm.py $(ARGS)

soak: setup ## half load for two hours: does memory stay flat; ARGS="--hours 8 --rate 500"
	@python -m bench.soak $(ARGS)

bench-detect: setup ## score the detector on real public data
	@python -m bench.detect $(ARGS)

screenshot: setup ## take the pictures of the page anew (needs chromium)
	@python bench/screenshot.py $(ARGS)

figures: setup ## lines per room, tests to code, long bodies, number of tests
	@python bench/house.py $(ARGS)

format: setup ## mend style and format in place
	@ruff check --fix . ; ruff format .

clean: ## remove the virtual environment and everything that was made
	@rm -rf $(VENV) site dist build .cache .pytest_cache .hypothesis .ruff_cache .import_linter_cache .coverage*
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@printf 'Clean.\n'
