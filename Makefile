# SPDX-License-Identifier: Apache-2.0
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help install demo bench soak docs test test-fast coverage lint clean

BIN := .venv/bin
JOBS ?= 2

help: ## show this help
	@echo "multimodal_perception: road, vehicle and pedestrian masks from camera, depth, infrared and LiDAR"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  PYTHON=python3.12 make …   chooses the Python that .venv is made of (3.10 to 3.13)"

install: ## make .venv with everything in it: runtime, ROS 2 wheels, training, tools
	@scripts/setup.sh all

demo: ## simulated drive → ROS 2 node → masks, scored; leaves video and report in out/demo
	@scripts/setup.sh ros
	@$(BIN)/perception demo -o out/demo

bench: ## time network, peers, stages, the node over DDS and growth; leaves bench.json and report.html in out/bench
	@scripts/setup.sh all
	@$(BIN)/perception bench -o out/bench --rounds 100 --seconds 60 --int8 --growth

soak: ## break the node in every way that tests/faults knows, then drive for an hour; fills docs/reliability.md
	@scripts/setup.sh all
	@rm -f out/faults.xml
	@$(BIN)/python benchmarks/reliability.py out/faults.xml docs/reliability.md

docs: ## build the documentation's website into out/site
	@scripts/setup.sh all
	@$(BIN)/mkdocs build --strict -f docs/site/mkdocs.yml

test: ## linters, types, architecture and all tests
	@scripts/setup.sh all
	@$(MAKE) --no-print-directory lint
	@echo "==> pytest, $(JOBS) at a time"
	@$(BIN)/pytest -n $(JOBS) --dist loadfile

coverage: ## all tests, with the branches that they take: fails below the floor of pyproject.toml
	@scripts/setup.sh all
	@$(BIN)/pytest -n $(JOBS) --dist loadfile --cov

# Tensor.long is not Python 2's, and `compression` has another module in its place.
NOT_PYTHONS := long compression compression.zstd

test-fast: ## the tests that start no node and take no seconds; pytest -m "ros", "slow" and "data" choose others
	@scripts/setup.sh all
	@$(BIN)/pytest -n $(JOBS) --dist loadfile -m "not slow and not ros"

lint: ## ruff, types and syntax for the oldest and the newest Python, import-linter
	@scripts/setup.sh all
	@echo "==> ruff"
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@echo "==> mypy, as Python 3.10 and 3.13"
	@printf '%s\n' 3.10 3.13 | xargs -P $(JOBS) -I {} $(BIN)/mypy --python-version {}
	@echo "==> vermin: nothing that Python 3.10 lacks"
	@$(BIN)/vermin -q -t=3.10- --no-tips --violations $(foreach name,$(NOT_PYTHONS),--exclude $(name)) \
		perception tests benchmarks launch setup.py
	@echo "==> import-linter"
	@$(BIN)/lint-imports

clean: ## remove what builds and runs left behind, but not .venv
	rm -rf build dist out install log *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -path ./.venv -prune -o -name __pycache__ -print0 | xargs -0 rm -rf
