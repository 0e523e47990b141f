"""Every planted defect is found with its code and place, and nothing else is."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from datasets_me.convert.convert import convert
from datasets_me.core.engine import loop
from datasets_me.core.errors import MeDatasetsError
from datasets_me.findings.finding import Finding
from datasets_me.folders.check import check
from datasets_me.schema import schema_files
from datasets_me.synthetic.write import PLANTABLE, SyntheticDataset, make

# Those of which folders are known; of the others, workbooks alone are tried (tests/convert/test_shipped.py).
DATASETS = ["casme-sq", "casme2", "casme3-a", "dfme", "samm-lv", "samm", "smic-hs"]
SUBJECTS = {"dfme": 24}  # its subjects have three clips each

# Findings about a whole file, sheet or tree: there is no cell or folder to compare.
ABOUT_ALL = {"ME110", "ME118", "ME119", "ME121", "ME123", "ME125", "ME126", "ME209"}


def planted(truth: list[dict[str, Any]]) -> Counter[tuple[object, ...]]:
    return Counter(_key(e["code"], e.get("row"), e.get("column"), e.get("path"), e.get("video")) for e in truth)


def reported(findings: list[Finding]) -> Counter[tuple[object, ...]]:
    return Counter(_key(f.code, f.row, f.column, f.path, f.video) for f in findings)


def _key(code: str, row: object, column: object, path: object, video: object) -> tuple[object, ...]:
    if code in ABOUT_ALL:
        return (code,)
    if code.startswith("ME1"):
        return (code, row, column)
    return (code, video) if path is None else (code, row, path)


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """These pictures are so small that a second process takes longer to start than they take."""
    monkeypatch.setattr(loop, "WORTH", 10**6)


def run(made: SyntheticDataset) -> tuple[list[Finding], int]:
    conversion = convert(schema_files.load_file(made.schema), made.workbook)
    manifest = conversion.manifest()
    return [*conversion.findings, *check(manifest, made.root, deep=True).findings], len(manifest.annotations)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("dataset", DATASETS)
def test_all_defects_are_found_and_nothing_else(dataset: str, seed: int, tmp_path: Path) -> None:
    subjects = SUBJECTS.get(dataset, 8)
    made = make(schema_files.load(dataset), tmp_path / "set", seed=seed, subjects=subjects, defects=PLANTABLE)
    truth = json.loads(made.truth.read_text())["findings"]
    findings, _ = run(made)
    assert reported(findings) == planted(truth)
    assert set(made.planted) <= {finding.code for finding in findings}


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_set_without_defects_has_no_errors(dataset: str, tmp_path: Path) -> None:
    made = make(schema_files.load(dataset), tmp_path / "set", subjects=2)
    findings, annotations = run(made)
    assert reported(findings) == planted(json.loads(made.truth.read_text())["findings"])
    assert {finding.code for finding in findings} <= {"ME102", "ME303"}  # prose and unpadded names are in their nature
    assert annotations > 0


def test_every_code_can_be_planted_in_some_dataset(tmp_path: Path) -> None:
    impossible = []
    for dataset in ("casme-sq", "samm-lv"):
        made = make(schema_files.load(dataset), tmp_path / dataset, subjects=8, defects=PLANTABLE)
        impossible.append(set(made.impossible))
    assert set.intersection(*impossible) == set()


def test_the_same_seed_makes_the_same_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        make(schema_files.load("samm-lv"), tmp_path / name, seed=5, subjects=6, defects=("ME104", "ME301", "ME306"))
    paths = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*") if path.is_file())
    assert paths == sorted(p.relative_to(tmp_path / "b") for p in (tmp_path / "b").rglob("*") if p.is_file())
    for path in paths:
        assert (tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes()


@pytest.mark.parametrize("dataset", DATASETS)
def test_as_many_defects_as_fit(dataset: str, tmp_path: Path) -> None:
    made = make(schema_files.load(dataset), tmp_path / "set", subjects=2, defects=PLANTABLE, as_fits=True)
    findings, _ = run(made)
    assert reported(findings) == planted(json.loads(made.truth.read_text())["findings"])
    assert set(made.planted) | set(made.impossible) == set(PLANTABLE)


def test_too_many_defects_for_too_few_rows(tmp_path: Path) -> None:
    with pytest.raises(MeDatasetsError, match="there is no row or folder left to plant ME"):
        make(schema_files.load("dfme"), tmp_path / "set", subjects=1, defects=PLANTABLE)
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize(("defects", "message"), [(("ME999",), "'ME999' cannot be planted"), (("ME210",), "'ME210'")])
def test_codes_that_cannot_be_planted(tmp_path: Path, defects: tuple[str, ...], message: str) -> None:
    with pytest.raises(MeDatasetsError, match=message):
        make(schema_files.load("casme2"), tmp_path / "set", defects=defects)


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").touch()
    with pytest.raises(MeDatasetsError, match="the output exists and is not a synthetic dataset"):
        make(schema_files.load("casme2"), tmp_path)
