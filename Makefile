PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test check coverage mutants readme readme-check bench clean

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: .venv/installed
	$(BIN)/python scripts/demo.py

test: .venv/installed
	$(BIN)/python -m pytest -n 2

check: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# branches, subprocesses included; a few times as long as the tests alone
coverage: .venv/installed
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n 2
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

# SEED=2 draws others
mutants: .venv/installed
	$(BIN)/python scripts/mutants.py --seed $(or $(SEED),1)

readme: .venv/installed
	$(BIN)/python scripts/readme.py

readme-check: .venv/installed
	$(BIN)/python scripts/readme.py --check

bench: .venv/installed
	$(BIN)/python benchmarks/convert.py
	$(BIN)/python benchmarks/inventory.py
	$(BIN)/python benchmarks/images.py
	$(BIN)/python benchmarks/duplicates.py

clean:
	rm -rf .venv demo build dist
