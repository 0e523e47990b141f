"""Console blocks are run, compared and renewed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

PAGE = """---
title: x
---
# A page

```text
# words.txt
one
two
```

```console
$ cat words.txt
{first}
$ me-datasets explain ME999
{second}
```

```console
not run: there is no sign before it
```
"""
ERROR = "error: there is no finding code 'ME999'\n  to do: "


@pytest.fixture
def page(tmp_path: Path) -> Path:
    return tmp_path / "page.md"


def fresh(text: str, page: Path) -> str:
    import replay

    page.write_text(text)
    ((result,),) = [replay.run(chain) for chain in replay.chains([page])]
    return result.after


def test_outputs_are_written_down_errors_included(page: Path) -> None:
    text = fresh(PAGE.format(first="old", second="old"), page)
    assert "$ cat words.txt\none\ntwo\n$ me-datasets explain ME999\n" + ERROR in text
    assert "not run: there is no sign before it" in text
    assert fresh(text, page) == text


def test_durations_and_hashes_are_not_compared(page: Path) -> None:
    old = f"```console\n$ echo done 12.3 s of {'a' * 64}; echo 0.5 m\ndone 98.7 s of {'b' * 64}\n0.5 m\n```\n"
    assert fresh(old, page) == old
    assert fresh(old.replace("\n0.5 m", "\n0.6 m"), page) == old.replace(
        f"98.7 s of {'b' * 64}", f"12.3 s of {'a' * 64}"
    )


def test_long_outputs_are_cut_in_the_middle(page: Path) -> None:
    lines = fresh("```console\n$ seq 100\n```\n", page).splitlines()[2:-1]
    assert lines == [*map(str, range(1, 25)), "...", "98", "99", "100"]


def test_a_page_goes_on_where_the_one_it_follows_ended(tmp_path: Path) -> None:
    import replay

    (tmp_path / "a.md").write_text("---\nfollows: b.md\n---\n```console\n$ cat made.txt\n```\n")
    (tmp_path / "b.md").write_text("```console\n$ echo here > made.txt\n```\n")
    (chain,) = replay.chains([tmp_path / "a.md"])
    assert [path.name for path in chain] == ["b.md", "a.md"]
    assert "$ cat made.txt\nhere\n" in replay.run(chain)[1].after


def test_a_difference_fails_the_check_and_is_shown(page: Path) -> None:
    inside = REPOSITORY / "docs" / "tutorials" / "new-dataset.md"
    text = inside.read_text(encoding="utf-8")
    script = "import replay, sys; replay.REPOSITORY = replay.Path(sys.argv.pop(1)); sys.exit(replay.main())"
    page.write_text("```console\n$ echo new\nold\n```\n")
    done = subprocess.run(
        [sys.executable, "-c", script, page.parent, "--check", page],
        cwd=REPOSITORY / "scripts",
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "-old\n+new\n" in done.stdout
    assert page.read_text() == "```console\n$ echo new\nold\n```\n"
    assert inside.read_text(encoding="utf-8") == text


def test_a_page_that_was_edited_meanwhile_is_not_overwritten(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import replay

    monkeypatch.setattr(replay, "REPOSITORY", page.parent)
    page.write_text("edited")
    assert not replay.put(replay.Result(page, "before", "after"))
    assert page.read_text() == "edited"
    assert replay.put(replay.Result(page, "edited", "after"))
    assert page.read_text() == "after"
