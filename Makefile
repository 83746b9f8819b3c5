# `make` lists what there is. Everything is set up by the targets themselves.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
UV_VERSION := 0.13.9
TOOLS := .venv-tools
NATIVE_SOURCES := agents/monitoring/marks/patterns.c agents/monitoring/marks/sieve.c \
	agents/monitoring/vocabulary/phrases.c streams/stored_batches.c streams/projection.c \
	streams/transcoding.c
NATIVE := $(foreach source,$(NATIVE_SOURCES),$(dir $(source))_$(notdir $(source:.c=.so)))
UV := $(TOOLS)/bin/uv
export UV_PYTHON_DOWNLOADS := never
# As pip does: networks with a certificate authority of their own have it in the system's store.
export UV_SYSTEM_CERTS ?= 1
export UV_PROJECT_ENVIRONMENT := .venv

.PHONY: help install demo test lint audit fuzz chaos services services-down bench clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(UV):
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: apt-get install python3" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv; \
		else echo "the venv module is missing; as root: apt-get install python3-venv" >&2; exit 1; fi; }
	@$(PYTHON) -m venv $(TOOLS)
	@$(TOOLS)/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

# Run-time packages; --inexact leaves those of the developers where they are. Compiled here, because
# where PYTHONDONTWRITEBYTECODE is set each start would compile them anew, for a second.
.venv/.installed: uv.lock pyproject.toml $(NATIVE) | $(UV)
	@$(UV) sync --quiet --frozen --no-dev --inexact --compile-bytecode --python $(PYTHON)
	@touch $@

.venv/.installed-dev: uv.lock pyproject.toml $(NATIVE) | $(UV)
	@$(UV) sync --quiet --frozen --compile-bytecode --python $(PYTHON)
	@touch $@ .venv/.installed

# Built by the installation of the package, which is asked for anew where a library is not there.
$(NATIVE) &: deploy/native.py pyproject.toml $(NATIVE_SOURCES) \
		agents/monitoring/marks/patterns.h streams/reader.h | $(UV)
	@$(UV) sync --quiet --frozen --no-dev --inexact --reinstall-package assayer --python $(PYTHON)
	@touch $(NATIVE)

install: .venv/.installed ## leave the command at .venv/bin/assayer

demo: install ## run everything embedded, on a shipped sample: no server is needed
	@.venv/bin/assayer demo

lint: .venv/.installed-dev ## style, types and layers
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-cache

test: lint ## set up what tests need, lint, and run every test
	.venv/bin/python -m deploy.audit
	.venv/bin/python -m deploy.services setup
	@.venv/bin/python -m compileall -q schemas streams agents deploy tests
	.venv/bin/python -m pytest -m "not long" -n 4 --dist loadfile --no-loadscope-reorder

audit: .venv/.installed-dev ## bill of materials, licences and known vulnerabilities of what is installed
	.venv/bin/python -m deploy.audit --strict

fuzz: .venv/.installed-dev ## give a million wrong inputs to every decoder and parser
	.venv/bin/python -m tests.fuzz

chaos: .venv/.installed-dev ## kill, hang, cut and fill whatever there is, while a million listings stream by
	.venv/bin/python -m pytest -n 0 -m long tests/chaos
	.venv/bin/python -m tests.chaos $(CHAOS)

services: .venv/.installed-dev ## start a local Kafka, schema registry and Redis; prints the settings to export
	@.venv/bin/python -m deploy.services up

services-down: .venv/.installed-dev ## stop what `make services` started
	@.venv/bin/python -m deploy.services down

bench: .venv/.installed-dev ## run the benchmarks and write their table
	@$(UV) sync --quiet --frozen --group cel --python $(PYTHON)
	.venv/bin/python -m deploy.services setup
	.venv/bin/python -m tests.benchmarks all --write
	.venv/bin/python -m tests.benchmarks.judgement --half test

clean: ## remove what the targets made
	rm -rf .venv $(TOOLS) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist $(NATIVE)
