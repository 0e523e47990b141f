"""The command line as a user runs it: output, exit codes, files."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from datasets_me.core.tables import write_parquet
from datasets_me.folders.relocate import JOURNAL
from datasets_me.formats import manifest as manifests
from datasets_me.formats.records import Video
from datasets_me.schema import schema_files
from datasets_me.synthetic.write import make
from tests.conftest import CASME2_HEADER, REPOSITORY, Run, Workbook, casme2_row


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic CAS(ME)² with a few defects, shared by tests that only read it."""
    out = tmp_path_factory.mktemp("synthetic") / "set"
    make(schema_files.load("casme-sq"), out, seed=1, subjects=3, defects=("ME103", "ME107", "ME201", "ME204", "ME301"))
    return out


@pytest.fixture
def converted(me_datasets: Run, synthetic: Path, tmp_path: Path) -> Path:
    done = me_datasets("convert", synthetic / "schema.yaml", "xlsx", "--root", synthetic, "-o", "manifest")
    assert done.returncode == 0, done.stderr
    return tmp_path / "manifest"


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
    assert [entry["code"] for entry in summary["findings"]] == ["ME103", "ME107"]


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


def test_check_exits_with_1_where_there_are_errors(me_datasets: Run, converted: Path, synthetic: Path) -> None:
    done = me_datasets("check", converted, "--root", synthetic)
    assert done.returncode == 1
    for code in ("ME201", "ME204", "ME301", "ME303"):
        assert code in done.stdout
    fine = me_datasets("check", converted, "--root", synthetic, "--ignore", "ME204", "--severity", "warning")
    assert fine.returncode == 0
    assert "ME303" not in fine.stdout
    assert fine.stdout.splitlines()[-1] == "me-datasets explain CODE says what a finding means and what to do"


@pytest.mark.parametrize("kind", ["json", "sarif", "html", "table"])
def test_check_writes_reports(me_datasets: Run, converted: Path, synthetic: Path, tmp_path: Path, kind: str) -> None:
    done = me_datasets("check", converted, "--root", synthetic, "--format", kind, "-o", "out/report", "--select", "ME2")
    assert (done.returncode, done.stdout) == (1, "")
    text = (tmp_path / "out" / "report").read_text()
    assert "ME204" in text
    assert "ME301" not in text
    if kind in ("json", "sarif"):
        json.loads(text)


def test_relocate_is_a_dry_run_until_told(me_datasets: Run, converted: Path, synthetic: Path, tmp_path: Path) -> None:
    frames = tmp_path / "frames"
    shutil.copytree(synthetic / "frames", frames)
    before = sorted(path.relative_to(frames) for path in frames.rglob("*"))
    dry = me_datasets("relocate", converted, "--root", frames)
    assert dry.returncode == 0
    assert dry.stdout.startswith("would move: 1 folder; add --apply to do it\n")
    assert sorted(path.relative_to(frames) for path in frames.rglob("*")) == before
    source, target = dry.stdout.splitlines()[1].strip().split(" -> ")
    step = {"step": "move", "source": source, "target": target, "why": ""}
    (frames / JOURNAL).write_text(json.dumps(step) + "\n")
    unfinished = f"  unfinished: an earlier run stopped before it moved {source} -> {target}\n"
    assert unfinished in me_datasets("relocate", converted, "--root", frames).stdout
    (frames / JOURNAL).unlink()
    assert me_datasets("relocate", converted, "--root", frames, "--apply").stdout.startswith("moved: 1 folder;")
    assert "ME201" not in me_datasets("check", converted, "--root", frames).stdout
    assert me_datasets("relocate", converted, "--root", frames, "--undo").stdout.startswith("put back: 1 folder")
    assert sorted(path.relative_to(frames) for path in frames.rglob("*")) == before


def test_a_manifest_of_a_stranger_shows_no_private_pictures(
    me_datasets: Run, converted: Path, synthetic: Path, tmp_path: Path
) -> None:
    videos = manifests.read(converted).videos
    video = next(row for row in videos if row.path and row.annotations)
    shutil.copytree(synthetic / video.path, tmp_path / "private")
    stranger = [row.model_copy(update={"path": "../private"}) if row is video else row for row in videos]
    write_parquet(Video, stranger, converted / "videos.parquet")
    (tmp_path / "root").mkdir()
    for verb in (["export", "clips"], ["extract", "--sheet", "sheet.html"]):
        done = me_datasets(*verb, converted, "--root", "root", "-o", "out")
        assert done.returncode == 2
        assert done.stderr.startswith("error: the path '../private' cannot be used: it leads upwards\n  where: ")
        assert f"videos.parquet, row {videos.index(video) + 1}\n" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["manifest", "private", "root"]


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


def test_the_auwgcn_csv_goes_round(me_datasets: Run, reference: Path, tmp_path: Path) -> None:
    published = reference / "samm_new_25.csv"
    assert me_datasets("convert", "auwgcn-csv", published, "-o", "m").returncode == 0
    done = me_datasets("export", "auwgcn-csv", "m", "-o", "again.csv")
    assert done.stdout == "502 rows written to again.csv\n"
    assert (tmp_path / "again.csv").read_bytes() == published.read_bytes()
    assert me_datasets("export", "auwgcn-csv", "m", "-o", "again.csv").returncode == 2
    assert me_datasets("diff", "m", published).returncode == 0


def test_datasets_and_schemas(me_datasets: Run, tmp_path: Path) -> None:
    listed = me_datasets("datasets")
    assert all(schema.spec.id in listed.stdout for schema in schema_files.shipped())
    assert len(json.loads(me_datasets("datasets", "--json").stdout)) == 7
    assert "s19/23_0502funnyerrors belongs at s23/23_0502funnyerrors" in me_datasets("datasets", "CASME_sq").stdout
    own = tmp_path / "lab.yaml"
    own.write_text(schema_files.load("casme2").text.replace("id: casme2", "id: lab"))
    assert me_datasets("schema", "check", own).stdout == (
        f"{own}: lab is a valid schema: 1 workbook variants, 3 layouts\n"
    )
    own.write_text(own.read_text().replace("holds: video", "holds: film"))
    done = me_datasets("schema", "check", own)
    assert done.returncode == 2
    assert "layouts.2.holds: Input should be 'video' or 'expression' (found 'film')" in done.stderr
    assert json.loads(me_datasets("schema", "json").stdout)["title"] == "Spec"


def test_explain(me_datasets: Run) -> None:
    done = me_datasets("explain", "ME203")
    for part in ("folder-unknown (warning, folders, raised by check)", "why it matters", "example", "what to do"):
        assert part in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["convert", "casme22", "x.xlsx"], "error: there is no dataset 'casme22'\n  to do: did you mean 'casme2'?"),
        (["convert", "casme2", "none.xlsx"], "error: the workbook cannot be read: there is no such file"),
        (["convert", "casme2"], "error: SOURCE is missing"),
        (
            ["convert", "casme2", "xlsx"],
            "error: no .xlsx file under the folder is a workbook of casme2 (files seen: none)",
        ),
        (["convert", "casme2", "a.xlsx", "--schema", "b.yaml"], "error: both DATASET and --schema are given"),
        (["check", "none", "--root", "."], "error: not a manifest: there is no such folder"),
        (["check", "none", "--root", ".", "--select", "ME9"], "error: 'ME9' selects no finding code"),
        (["explain", "ME999"], "error: there is no finding code 'ME999'"),
        (["relocate", "none", "--root", ".", "--apply", "--undo"], "error: --apply and --undo exclude each other"),
        (["diff", "a", "b"], "error: the workbook cannot be read: there is no such file"),
        (["synth", "casme2", "out", "--defects", "ME1"], "error: 'ME1' cannot be planted"),
        (["schema", "check", "none.yaml"], "error: the schema cannot be read: no such file"),
    ],
)
def test_bad_input_is_a_clear_error(me_datasets: Run, tmp_path: Path, arguments: list[str], message: str) -> None:
    done = me_datasets(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith(message)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [[], ["convert"], ["convert", "--nonsense"], ["check", "m", "--format", "pdf"]])
def test_misuse_shows_the_usage(me_datasets: Run, arguments: list[str]) -> None:
    done = me_datasets(*arguments)
    assert done.returncode == (2 if arguments else done.returncode)
    assert "Usage" in done.stdout + done.stderr


def test_version(me_datasets: Run) -> None:
    from datasets_me.core.version import __version__

    assert me_datasets("--version").stdout == f"me-datasets {__version__}\n"


@pytest.mark.parametrize(("options", "said"), [([], False), (["-W", "default"], True)])
def test_remarks_of_libraries_are_shown_to_those_who_ask(options: list[str], said: bool) -> None:
    program = """
import sys, warnings
from datasets_me import cli
cli.app.command("remark")(lambda: warnings.warn("an odd picture"))
sys.argv = ["me-datasets", "remark"]
cli.main()
"""
    done = subprocess.run(
        [sys.executable, *options, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0
    assert ("an odd picture" in done.stderr) == said
