"""The wrapper: bad input, misuse, and what verbs have in common."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from datasets_me.cli import app
from datasets_me.cli.run import Answer, add, verb
from datasets_me.core.errors import OutputError
from datasets_me.core.tables import write_parquet
from datasets_me.findings.finding import finding
from datasets_me.formats import manifest as manifests
from datasets_me.formats.records import Video
from tests.conftest import Run


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
        (
            ["convert", "SMIC-UV", "x.xlsx"],
            "error: there is no dataset 'SMIC-UV'\n  to do: Known: 4dme, casme-sq, casme, ",
        ),
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


def test_a_manifest_of_a_stranger_shows_no_private_pictures(
    me_datasets: Run, converted: Path, synthetic: Path, tmp_path: Path
) -> None:
    videos = manifests.read(converted).videos
    video = next(row for row in videos if row.path and row.annotations)
    shutil.copytree(synthetic / video.path, tmp_path / "private")
    stranger = [row.model_copy(update={"path": "../private"}) if row is video else row for row in videos]
    write_parquet(Video, stranger, converted / "videos.parquet")
    (tmp_path / "root").mkdir()
    for words in (["export", "clips"], ["extract", "--sheet", "sheet.html"]):
        done = me_datasets(*words, converted, "--root", "root", "-o", "out")
        assert done.returncode == 2
        assert done.stderr.startswith("error: the path '../private' cannot be used: it leads upwards\n  where: ")
        assert f"videos.parquet, row {videos.index(video) + 1}\n" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["manifest", "private", "root"]


def commands(command: Any, names: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """All verbs of the program, with what they are called."""
    if not hasattr(command, "commands"):
        yield names, command
        return
    for name, below in command.commands.items():
        yield from commands(below, (*names, name))


VERBS = dict(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("names", VERBS, ids=" ".join)
def test_every_verb_shows_an_example_that_can_be_given(names: tuple[str, ...]) -> None:
    verb = VERBS[names]
    title, example = (line.strip() for line in verb.epilog.removeprefix("\b").strip().split("\n"))
    program, *words = shlex.split(example.partition(" > ")[0].replace("(", "\\(").replace(")", "\\)"))
    assert (title, program, tuple(words[: len(names)])) == ("Example:", "me-datasets", names)
    verb.make_context(" ".join(names), words[len(names) :])  # every argument is there, and every option is known


@pytest.mark.parametrize("names", VERBS, ids=" ".join)
def test_every_verb_can_answer_in_json(names: tuple[str, ...]) -> None:
    options = {name: parameter for parameter in VERBS[names].params for name in parameter.opts}
    assert "--json" in options
    assert "--format" in options or names in (("images", "review"), ("schema", "json"), ("view",))
    assert VERBS[names].get_help(VERBS[names].context_class(VERBS[names])).isascii()


def answering(answer: Answer, **options: Any) -> Callable[..., int]:
    """A verb that gives an answer; called with arguments, it returns its exit code."""
    program = typer.Typer()
    add(program, "answer", verb("me-datasets answer", **options)(lambda: answer))

    def run(*arguments: str) -> int:
        try:
            program(list(arguments))
        except SystemExit as ended:
            return int(ended.code or 0)
        raise AssertionError("it did not end")

    return run


WRONG, ODD = finding("ME107", "wrong", path="b.xlsx"), finding("ME103", "odd", path="a.xlsx")


def test_an_answer_is_a_table_or_json_and_errors_make_the_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    run = answering(Answer(["one line"], [ODD, WRONG], ending=["the end"], data={"rows": 3}))
    assert run() == 1
    assert [line.split()[:2] for line in capsys.readouterr().out.splitlines()] == [
        *(["one", "line"], [], ["Findings"], ["code", "severity"], ["ME107", "error"], ["ME103", "warning"]),
        *([], ["the", "end"]),
    ]
    assert run("--json") == run("--format", "json") == 1
    texts = capsys.readouterr().out
    first, end = json.JSONDecoder().raw_decode(texts)
    assert (first["rows"], [entry["code"] for entry in first["findings"]]) == (3, ["ME107", "ME103"])
    assert json.loads(texts[end:]) == first
    assert answering(Answer(findings=[ODD], data={}))() == 0
    assert answering(Answer(findings=[WRONG], data={}, exit_code=0))() == 0
    assert answering(Answer(data=[1]))("--json") == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-2]) == 1


def test_findings_are_chosen_and_written(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    answer = Answer(findings=[ODD, WRONG], looked_at="2 rows", each=True, data={})
    run = answering(answer, to_file=True, selects=True)
    assert run() == 1
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "2 rows: 1 error, 1 warning",
        "me-datasets explain CODE says what a finding means and what to do",
    ]
    assert run("--ignore", "me107") == run("--select", "ME103") == 0
    assert run("--severity", "error") == 1
    assert "2 rows: 1 warning\n" in (out := capsys.readouterr().out)
    assert "2 rows: 1 error\n" in out
    place = tmp_path / "report"
    assert run("-o", str(place)) == 1
    assert capsys.readouterr() == ("", f"2 findings written to {place}\n")
    assert "ME107" in place.read_text()
    with pytest.raises(OutputError):
        run("-o", str(place))
    assert run("-o", str(place), "--force", "--json") == 1
    assert len(json.loads(place.read_text())["findings"]) == 2
