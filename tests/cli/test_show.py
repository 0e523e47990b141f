"""What reaches a terminal: nothing that it would obey, however it came into the data."""

from __future__ import annotations

import ast
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from datasets_me.cli import show
from datasets_me.core.errors import MeDatasetsError
from tests.conftest import CASME2_HEADER, REPOSITORY, Run, Workbook, casme2_row

EVIL = "evil\x1b]0;owned\x07\x9b31m\u202e[red]\n[/red]"
SHOWN = "evil\\x1b]0;owned\\x07\\x9b31m\\u202e[red]\\x0a[/red]"


DOORS = ("print", "typer.echo", "typer.secho", "sys.stdout.write", "sys.stderr.write", "stream.write")


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
    show.echo_document(show.to_json({EVIL: [EVIL, "CAS(ME)²"]}), is_json=True)
    text = capsys.readouterr().out
    assert json.loads(text) == {EVIL: [EVIL, "CAS(ME)²"]}
    assert not obeyed(text)
    assert "CAS(ME)²" in text


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_tables_and_lines_take_texts_as_they_are() -> None:
    file = io.StringIO()
    table = show.Rows("Title [b]", "name", EVIL)
    table.add_row(EVIL, show.severity("error"))
    table.add_row(None, 3)
    show.Screen(file).print(table, "", f"[bold]{EVIL}[/bold] :smile:", show.named(("name", EVIL)))
    lines = file.getvalue().splitlines()
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
    file = Terminal()
    monkeypatch.setattr("sys.stderr", file)
    with show.progress("videos") as update:
        update(1, 2, EVIL)
        update(2, 2, EVIL)
    assert SHOWN in file.getvalue()
    assert not {"\x07", "\x9b", "\u202e"} & set(file.getvalue())


def wide() -> show.Rows:
    table = show.Rows(None, "name", "count", "what it is", right=["count"])
    table.add_row("a", 10, "a text that is long enough to be broken into lines")
    table.add_row("CAS(ME)²", 2, "short")
    return table


def test_without_a_terminal_lines_are_as_long_as_they_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    show.Screen().print(wide(), "word " * 40 + "end")
    assert capsys.readouterr().out.splitlines() == [
        "name      count  what it is",
        "a            10  a text that is long enough to be broken into lines",
        "CAS(ME)²      2  short",
        "word " * 40 + "end",
    ]


def test_the_width_that_columns_says(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    show.Screen().print(wide(), "word " * 20)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:3] == ["a            10  a text that is long enough to be broken", "                 into lines"]
    assert lines[4] == " ".join(["word"] * 12)
    assert not [line for line in lines if line != line.rstrip() or len(line) > 60]


def test_a_narrow_terminal_is_given_a_list(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    show.Screen().print(wide(), show.named(("id", "casme2"), ("title", "a long title, longer than the line is")))
    assert capsys.readouterr().out.splitlines() == [
        *("name: a", "count: 10", "what it is: a text that is long enough", "to be broken into lines", ""),
        *("name: CAS(ME)²", "count: 2", "what it is: short"),
        *("id: casme2", "title: a long title, longer than the", "line is"),
    ]


def test_without_utf8_there_are_other_characters() -> None:
    program = (
        "from datasets_me.cli import show; show.prepare_streams(); t = show.Rows('× ²', 'a', '…');"
        "t.add_row('CAS(ME)²', '表'); t.add_row('b', '−1 – 2'); show.Screen().print(t); show.echo('2·apex')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.stdout.splitlines(), done.stderr) == (
        ["x ^2", "a          ...", "CAS(ME)^2  ?", "b          -1 - 2", "2*apex"],
        "",
    )


def test_progress_elsewhere_is_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter([0.0, 9.0, 10.5, 10.5, 12.0, 21.0, 21.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    with show.progress("videos") as update:
        update(1, 4)
        update(2000, 4000, EVIL)
        update(3)
        update(4)
    assert capsys.readouterr() == ("", f"videos: 2,000 of 4,000 {SHOWN}\nvideos: 4\n")


def test_nothing_else_writes_to_a_terminal() -> None:
    """``cli/show.py`` is the one door; another one would be forgotten when a name is printed."""
    doors = []
    for path in sorted((REPOSITORY / "datasets_me").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            rich = isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "rich"
            if rich or called in DOORS:
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
    assert "itsnamecannotbeused:itcontainsthecontrolcharacterU+001B" in "".join(runs[1].stdout.split())


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
