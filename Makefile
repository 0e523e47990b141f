PYTHON ?= python3
BIN := .venv/bin

# modules are compiled once, not by each of the hundreds of processes that tests start
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test check coverage mutants docs docs-outputs docs-check bench dist clean

help:
	@sed -n 's/^## //p' Makefile

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/installed: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

## make demo          the main job on a synthetic dataset, in about a minute, besides installing
demo: | .venv/bin/python
	@$(BIN)/python scripts/demo.py

## make test          every test
test: .venv/installed
	$(BIN)/python -m pytest -n 2 --dist worksteal

## make check         ruff, mypy, codespell, yamllint
check: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell
	$(BIN)/yamllint --strict .

## make coverage      branches, subprocesses included; a few times as long as the tests alone
coverage: .venv/installed
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n 2 --dist worksteal
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

## make mutants       small changes of the code that no test notices; SEED=2 draws others
mutants: .venv/installed
	$(BIN)/python scripts/mutants.py --seed $(or $(SEED),1)

## make docs          the documentation, as build/docs/index.html
docs: .venv/installed
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going --jobs auto docs build/docs

## make docs-outputs  run the commands in the documentation and write down what they print; PAGES=… for some pages
docs-outputs: .venv/installed
	$(BIN)/python scripts/replay.py $(PAGES)

## make docs-check    fail where the documentation says other than the program prints, or a notebook does not run
docs-check: .venv/installed
	$(BIN)/python scripts/replay.py --check
	$(BIN)/python scripts/notebooks.py

## make bench         renew the tables in docs/benchmarks; BENCH="convert images" for some of them
bench: .venv/installed
	$(BIN)/python benchmarks/run.py $(BENCH)

## make dist          wheel and sdist, checked, tried in an environment of their own
dist: .venv/installed
	rm -rf dist
	$(BIN)/python -m build --quiet --outdir dist .
	$(BIN)/twine check --strict dist/*
	$(BIN)/python scripts/smoke.py dist

clean:
	rm -rf .venv demo build dist
