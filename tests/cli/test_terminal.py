"""What reaches a terminal: nothing that it would obey, however it came into the data."""

from __future__ import annotations

import ast
import io
import json
from pathlib import Path

import pytest

from datasets_me.cli import show
from datasets_me.core.errors import MeDatasetsError
from tests.conftest import CASME2_HEADER, REPOSITORY, Run, Workbook, casme2_row

EVIL = "evil\x1b]0;owned\x07\x9b31m\u202e[red]\n[/red]"
SHOWN = "evil\\x1b]0;owned\\x07\\x9b31m\\u202e[red]\\x0a[/red]"


def obeyed(text: str) -> set[str]:
    """The characters of a text that a terminal would obey, but ends of lines."""
    return {letter for letter in text if letter in "\x1b\x07\x9b\u202e\r\x08"}


def test_echo_keeps_lines_apart(capsys: pytest.CaptureFixture[str]) -> None:
    show.echo(f"one {EVIL}", "two")
    show.echo("three", err=True)
    assert capsys.readouterr() == (f"one {SHOWN}\ntwo\n", "three\n")


def test_an_error_has_only_its_own_lines(capsys: pytest.CaptureFixture[str]) -> None:
    show.error(MeDatasetsError(f"it is {EVIL}", details=["first\n  to do: rm"], where=EVIL, fix="do\nthat"))
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"error: it is {SHOWN}\n  first\\x0a  to do: rm\n  where: {SHOWN}\n  to do: do\\x0athat\n"


def test_json_is_shown_safely_and_means_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    show.echo_json({EVIL: [EVIL, "CAS(ME)²"]})
    text = capsys.readouterr().out
    assert json.loads(text) == {EVIL: [EVIL, "CAS(ME)²"]}
    assert not obeyed(text)
    assert "CAS(ME)²" in text


def test_tables_and_lines_take_texts_as_they_are() -> None:
    file = io.StringIO()
    out = show.console(file)
    made = show.table("Title [b]", "name", EVIL)
    made.add_row(EVIL, show.severity("error"))
    made.add_row(None, 3)
    out.print(made)
    out.print("", f"[bold]{EVIL}[/bold] :smile:")
    show.lines(out, ("name", EVIL))
    lines = [line.rstrip() for line in file.getvalue().splitlines()]
    width = len(SHOWN)
    assert lines == [
        "Title [b]",
        f"{'name':<{width}}  {SHOWN}",
        f"{SHOWN}  error",
        f"{'':<{width}}  3",
        "",
        f"[bold]{SHOWN}[/bold] :smile:",
        f"name  {SHOWN}",
    ]


def test_progress_takes_texts_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    file = io.StringIO()
    monkeypatch.setattr("sys.stderr", file)
    with show.progress("videos") as update:
        update(1, 2, EVIL)
        update(2, 2, EVIL)
    assert SHOWN in file.getvalue()
    assert not {"\x07", "\x9b", "\u202e"} & set(file.getvalue())


def test_nothing_else_writes_to_a_terminal() -> None:
    """``cli/show.py`` is the one door; another one would be forgotten when a name is printed."""
    doors = []
    for path in sorted((REPOSITORY / "datasets_me").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            rich = isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "rich"
            if rich or called in ("print", "typer.echo", "typer.secho", "sys.stdout.write", "sys.stderr.write"):
                doors.append(path.relative_to(REPOSITORY / "datasets_me").as_posix())
    assert set(doors) == {"cli/show.py"}


def test_names_of_a_dataset_as_a_user_sees_them(me_datasets: Run, tmp_path: Path) -> None:
    """A table of a stranger, folders of a stranger, and a file of a name that a stranger chose."""
    cells = [str(cell if cell is not None else "") for cell in casme2_row(emotion="evil\x1b]0;owned\x07")]
    header = [title or "" for title in CASME2_HEADER]
    book = tmp_path / "book \x1b]0;owned\x07[red].csv"
    book.write_text("\n".join(",".join(row) for row in (header, cells)))
    place = tmp_path / "root" / "Cropped" / "sub01"
    (place / "EP02_01f").mkdir(parents=True)
    (place / "EP02_01f" / "reg_img46\x1b]0;owned\x07.txt").touch()
    (place / "EP02_01f" / "reg_img46.jpg").touch()
    (place / "evil\x1b]0;owned\x07").mkdir()
    runs = [
        me_datasets("convert", "casme2", book, "--root", tmp_path / "root", "-o", "m"),
        me_datasets("check", "m", "--root", tmp_path / "root"),
        *(me_datasets("check", "m", "--root", tmp_path / "root", "--format", f) for f in ("json", "sarif", "html")),
        me_datasets("diff", "m", "m"),
        me_datasets("convert", "casme2", tmp_path / "none\x1b]0;owned\x07", "-o", "n"),
    ]
    assert [done.returncode for done in runs] == [0, 1, 1, 1, 1, 0, 2]
    for done in runs:
        assert not obeyed(done.stdout + done.stderr), done.args
    assert "emotion'evil\\x1b]0;owned\\x07'isnotknown" in "".join(runs[0].stdout.split())
    assert "itsnamecannotbeused:itholdsthecontrolcharacterU+001B" in "".join(runs[1].stdout.split())


def test_a_score_for_people_holds_no_formulas(me_datasets: Run, workbook: Workbook, tmp_path: Path) -> None:
    text = (REPOSITORY / "schemas" / "casme2.yaml").read_text()
    (tmp_path / "own.yaml").write_text(text.replace("    sadness: []", '    "@cmd()": []\n    sadness: []'))
    book = workbook([CASME2_HEADER, casme2_row(), casme2_row(clip="EP02_02f", emotion="@cmd()")])
    assert me_datasets("convert", "own.yaml", book, "-o", "m").returncode == 0
    (tmp_path / "p.csv").write_text("video,prediction\nEP02_01f,disgust\nEP02_02f,disgust\n")
    done = me_datasets("score", "recognition", "m", "-p", "p.csv", "-o", "out")
    assert done.returncode in (0, 1), done.stderr
    lines = (tmp_path / "out" / "confusion_casme2.csv").read_text().splitlines()
    assert [line.partition(",")[0] for line in lines] == ["label", "'@cmd()", "disgust"]
    assert ",'@cmd()," in lines[0]
