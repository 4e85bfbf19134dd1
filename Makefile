# `make help` lists the targets. Each one that needs packages has its own virtual environment, created on first use
# and recreated when setup.py changes.
PYTHON ?= python3
FRAMES ?= 40
OUT ?= demo
WORKERS ?= 2
PYTEST_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test lint docs clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-6s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "Variables: PYTHON=$(PYTHON)  FRAMES=$(FRAMES) (length of the demo's drive)  OUT=$(OUT)  WORKERS=$(WORKERS) (processes of the tests)  PYTEST_ARGS"

demo: .venv-demo/installed  ## play a synthetic drive to the real node over DDS; pictures and figures in demo/
	.venv-demo/bin/python -m adu_depth_ros.demo --out $(OUT) --frames $(FRAMES)

# One thread: with tensors as small as in the tests, threads mostly wait for each other. Each process needs about
# 2.5 GB; tests of one file run in the same process, to share models and drives.
test: .venv-test/installed  ## install what the tests need and run all of them
	OMP_NUM_THREADS=1 .venv-test/bin/python -m pytest -n $(WORKERS) --dist loadfile $(PYTEST_ARGS)

lint: .venv-test/installed  ## check style, types, import rules, wording and container files
	.venv-test/bin/ruff check
	.venv-test/bin/ruff format --check
	.venv-test/bin/lint-imports
	.venv-test/bin/mypy
	.venv-test/bin/python -m pytest -q test/test_style.py -k prose
	.venv-test/bin/hadolint --config docker/hadolint.yaml docker/Dockerfile docker/Dockerfile.jetson
	.venv-test/bin/check-jsonschema --builtin-schema vendor.compose-spec docker/compose.yaml

docs: .venv-docs/installed  ## build these pages and the API reference as a site, in site/
	NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --strict

clean:  ## remove environments, the demo's results and caches
	rm -rf .venv-demo .venv-docs .venv-test demo site build *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis .import_linter_cache

.venv-%/installed: setup.py
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' || { \
	    echo "error: $(PYTHON) is not Python 3.10 to 3.13; choose another, e.g.: make $* PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv --clear .venv-$* || { \
	    echo "error: $(PYTHON) cannot make a virtual environment; on Ubuntu: sudo apt install python3-venv" >&2; exit 1; }
	@echo "Installing into .venv-$*; this takes a few minutes the first time."
	@.venv-$*/bin/python -m pip install -qq --disable-pip-version-check --editable '.[$*]'
	@touch $@
