PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test check readme bench clean

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

readme: .venv/installed
	$(BIN)/python scripts/readme.py

bench: .venv/installed
	$(BIN)/python benchmarks/convert.py
	$(BIN)/python benchmarks/inventory.py
	$(BIN)/python benchmarks/images.py
	$(BIN)/python benchmarks/duplicates.py

clean:
	rm -rf .venv demo build dist
