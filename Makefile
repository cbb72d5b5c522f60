# Every verb a person or CI runs; no logic anywhere else. `make` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN_STAMP := $(VENV)/.ready-to-run
DEV_STAMP := $(VENV)/.ready-to-test
STUB_STAMP := libs/contracts/generated/.built
PROTOS := $(shell find proto -name '*.proto')
MEMBERS := libs/contracts libs/rulebook libs/service_kit services/edge-proxy services/scanner services/policy libs/lab
PYTEST := $(BIN)/python -m pytest

.PHONY: help setup proto demo run test unit properties transcripts contract integration e2e \
        lint types floors check chaos bench desync fuzz up lab down lock clean deps

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(RUN_STAMP): requirements.lock tools/install.sh $(MEMBERS:%=%/pyproject.toml)
	@PYTHON="$(PYTHON)" tools/install.sh run
	@touch $@

$(DEV_STAMP): $(RUN_STAMP) requirements-dev.lock
	@PYTHON="$(PYTHON)" tools/install.sh test
	@touch $@

$(STUB_STAMP): $(PROTOS) tools/build_stubs.py $(RUN_STAMP)
	@$(BIN)/python tools/build_stubs.py && touch $@

setup: $(DEV_STAMP) proto ## .venv with everything to run and to test, and the stubs

proto: $(STUB_STAMP) ## generate the gRPC stubs from proto/

demo: $(STUB_STAMP) ## a whole farm here, real messages through it, one table (EXIT=1: end after it)
	@$(BIN)/python -m lab demo $(if $(EXIT),--exit)

run: $(STUB_STAMP) ## the farm in the foreground: UPSTREAM=host:port [LISTEN= MODE= ADMIN= CLAMD= SPAMD= REDIS_URL=]
	@LISTEN="$(LISTEN)" UPSTREAM="$(UPSTREAM)" MODE="$(MODE)" ADMIN="$(ADMIN)" CLAMD="$(CLAMD)" \
	  SPAMD="$(SPAMD)" REDIS_URL="$(REDIS_URL)" $(BIN)/python -m lab run

deps: ## Debian packages the tests need (real clamd, spamd, Postfix, HAProxy, nftables …)
	@tools/install.sh peers

test: setup deps lint types floors ## install what the tests need, run everything
	$(PYTEST) tests

unit properties transcripts contract integration e2e: setup ## one level of the tests
	$(PYTEST) tests/$@

lint: setup ## ruff: formatting and rules; file sizes
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/python tools/check_sizes.py

types: setup ## mypy --strict
	$(BIN)/mypy

floors: setup ## import-linter: no floor imports one above it
	$(BIN)/lint-imports

check: lint types floors unit properties transcripts ## all that needs no peer and no network

chaos: setup deps ## parts of the compose farm fail under load; docs/chaos.md (SCENARIO="scanner killed")
	$(BIN)/python -m tests.chaos $(if $(SCENARIO),"$(SCENARIO)")

bench: setup deps ## figures: ratios measured in one run; mail through the farm, scans, rules, a tunnel, decisions
	$(BIN)/python -m bench
	$(BIN)/python -m bench.scanner
	$(BIN)/python -m bench.rules
	$(BIN)/python -m bench.tunnel
	$(BIN)/python -m bench.policy

desync: setup deps ## docs/desync-matrix.md from a run against real servers
	$(BIN)/python -m tools.write_desync_matrix --write

fuzz: setup ## coverage-guided fuzzing of the relay core (SECONDS=60)
	$(BIN)/python tests/fuzz/relay_core.py -max_total_time=$(or $(SECONDS),60)

COMPOSE := docker compose -p smtp-gated --project-directory deploy/compose -f deploy/compose/compose.yaml \
  $(if $(OFFLINE),-f deploy/compose/compose.offline.yaml) \
  $(if $(OBSERVE),-f deploy/compose/compose.observability.yaml)
LAB := $(COMPOSE) -f deploy/compose/compose.lab.yaml

up: ## the farm in containers, healthy when this returns (OFFLINE=1: no freshclam; OBSERVE=1: Prometheus and Grafana too)
	$(COMPOSE) up -d --wait --build

lab: ## the farm between customers and a far server, transparent; sends messages, prints the table
	$(LAB) up -d --wait --build
	deploy/compose/send.sh $(LAB)

down: ## stop what up and lab started (VOLUMES=1: forget its volumes too)
	$(LAB) down --remove-orphans $(if $(VOLUMES),--volumes)

lock: setup ## resolve and pin every third-party package anew
	$(BIN)/python tools/lock.py $(LOCK_FLAGS)

clean: ## remove everything that was built, installed or left by a run
	rm -rf $(VENV) .run .tools libs/contracts/generated bench/results
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find libs services tests tools bench -name __pycache__ -type d -prune -exec rm -rf {} +
