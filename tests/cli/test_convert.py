"""Converting, comparing and relocating, as a user does it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq

from datasets_me.core.tables import write_parquet
from datasets_me.folders.relocate import JOURNAL
from datasets_me.formats import manifest as manifests
from datasets_me.formats.records import Annotation
from tests.conftest import CASME2_HEADER, Run, Workbook, casme2_row


def test_convert_prints_what_a_person_wants_to_see(me_datasets: Run, synthetic: Path) -> None:
    book = synthetic / "CAS(ME)^2code_final.xlsx"
    done = me_datasets("convert", synthetic / "schema.yaml", book, "--root", synthetic / "frames", "-o", "m")
    assert done.returncode == 0
    assert "CAS(ME)² (synthetic) from CAS(ME)^2code_final.xlsx, read as 'three-sheets'" in done.stdout
    assert "48 annotations of 3 subjects in 24 videos; lengths in frames, both ends included" in done.stdout
    assert "tied to 119 folders of frames" in done.stdout
    assert "ME107  error" in done.stdout
    assert "written to m" in done.stdout
    assert done.stderr == ""


def test_convert_json(me_datasets: Run, synthetic: Path) -> None:
    done = me_datasets("convert", "--schema", synthetic / "schema.yaml", synthetic, "--json")
    summary = json.loads(done.stdout)
    assert (summary["manifest"], summary["annotations"], summary["subjects"]) == ("casme-sq-manifest", 48, 3)
    assert {kind: counted["rows"] for kind, counted in summary["types"].items()}.keys() == {"macro", "micro"}
    assert [entry["code"] for entry in summary["findings"]] == ["ME107", "ME103"]


def test_strict_writes_nothing(me_datasets: Run, synthetic: Path, tmp_path: Path) -> None:
    done = me_datasets("convert", synthetic / "schema.yaml", synthetic, "-o", "m", "--strict")
    assert done.returncode == 1
    assert "error: 1 error finding, nothing was written\n  ME107 " in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_existing_manifest_is_not_replaced(me_datasets: Run, converted: Path, synthetic: Path) -> None:
    again = me_datasets("convert", synthetic / "schema.yaml", synthetic, "-o", "manifest")
    assert again.returncode == 2
    assert again.stderr == (
        "error: the manifest exists already\n  where: manifest\n  to do: add --force to replace it\n"
    )
    assert me_datasets("convert", synthetic / "schema.yaml", synthetic, "-o", "manifest", "--force").returncode == 0


def test_relocations_can_be_left_out(me_datasets: Run, synthetic: Path, tmp_path: Path) -> None:
    for options in ([], ["--no-corrections"]):
        name = f"m{len(options)}"
        me_datasets("convert", synthetic / "schema.yaml", synthetic, "--root", synthetic, "-o", name, *options)
    with_it, without = manifests.read(tmp_path / "m0"), manifests.read(tmp_path / "m1")
    assert [video.relocated for video in with_it.videos].count(True) == 1
    assert [video.relocated for video in without.videos].count(True) == 0
    assert ("ME201" in with_it.counts()["findings"], "ME201" in without.counts()["findings"]) == (True, False)


def test_relocate_is_a_dry_run_until_told(me_datasets: Run, converted: Path, synthetic: Path, tmp_path: Path) -> None:
    frames = tmp_path / "frames"
    shutil.copytree(synthetic / "frames", frames)
    before = sorted(path.relative_to(frames) for path in frames.rglob("*"))
    dry = me_datasets("relocate", converted, "--root", frames)
    assert dry.returncode == 0
    assert dry.stdout.startswith("would move: 1 folder; add --apply to do it\n")
    assert sorted(path.relative_to(frames) for path in frames.rglob("*")) == before
    source, target = dry.stdout.splitlines()[1].strip().split(" -> ")
    step = {"step": "move", "source": source, "target": target, "why": "", "root": str(frames.resolve())}
    (frames / JOURNAL).write_text(json.dumps(step) + "\n")
    unfinished = f"  unfinished: an earlier run stopped before it moved {source} -> {target}\n"
    assert unfinished in me_datasets("relocate", converted, "--root", frames).stdout
    (frames / JOURNAL).unlink()
    assert me_datasets("relocate", converted, "--root", frames, "--apply").stdout.startswith("moved: 1 folder;")
    assert "ME201" not in me_datasets("check", converted, "--root", frames).stdout
    assert me_datasets("relocate", converted, "--root", frames, "--undo").stdout.startswith("put back: 1 folder")
    assert sorted(path.relative_to(frames) for path in frames.rglob("*")) == before


def test_diff(me_datasets: Run, workbook: Workbook, tmp_path: Path) -> None:
    a = workbook([CASME2_HEADER, casme2_row()], name="a.xlsx")
    b = workbook([CASME2_HEADER, casme2_row(offset=90)], name="b.xlsx")
    assert me_datasets("diff", a, a).returncode == 0
    done = me_datasets("diff", a, b, "--parquet", "d.parquet")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "1 row matched, 0 equal; only in A 0, only in B 0"
    assert pq.read_table(tmp_path / "d.parquet").to_pylist()[0]["field"] == "offset"
    found = json.loads(me_datasets("diff", a, b, "--json").stdout)["differences"]
    assert (found[0]["a"], found[0]["b"]) == ("85", "89")
    me_datasets("convert", "casme2", a, "-o", "m")
    write_parquet(Annotation, [], tmp_path / "m/annotations.parquet")
    assert "0 rows matched, 0 equal; only in A 0, only in B 1" in me_datasets("diff", "m", a).stdout


def test_a_workbook_of_another_dataset_is_named(me_datasets: Run, synthetic: Path) -> None:
    book = synthetic / "CAS(ME)^2code_final.xlsx"
    done = me_datasets("convert", "casme2", book)
    assert (done.returncode, done.stderr) == (
        2,
        f"error: the workbook is not one of CASME II, but of CAS(ME)²\n  where: {book}\n"
        f"  to do: me-datasets convert casme-sq {book}\n",
    )
