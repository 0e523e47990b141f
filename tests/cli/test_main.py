"""What ends the program besides its own errors: exit code 2 and a sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from datasets_me import cli
from datasets_me.core.version import __version__
from tests.conftest import REPOSITORY, Run

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(REPOSITORY), "NO_COLOR": "1"}


@pytest.mark.parametrize("kilobytes", [200_000, 300_000])
def test_too_little_memory_to_begin_with(tmp_path: Path, kilobytes: int) -> None:
    command = f"ulimit -v {kilobytes}; exec '{sys.executable}' -m datasets_me convert casme2 none.xlsx"
    done = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: this process may use {kilobytes // 1024} MiB of memory, and needs 400 to begin with\n"
        "  to do: raise the limit: ulimit -v unlimited\n"
    )


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "error: there is not enough memory\n  to do: raise the limit, or use fewer --workers\n"),
        (RecursionError(), "error: something in the input is nested too deeply\n"),
        (ImportError("libx.so: failed to map segment"), "error: a library cannot be loaded: libx.so: failed to map"),
        (OSError(28, "No space left on device", "out"), "error: No space left on device\n  where: out\n"),
    ],
)
def test_what_any_verb_may_run_into(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception, said: str
) -> None:
    def verb() -> None:
        raise error

    monkeypatch.setattr(cli, "app", verb)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith(said)


@pytest.mark.parametrize("command", [["-m", "datasets_me"], [str(REPOSITORY / "cli.py")]])
def test_ctrl_c_while_it_loads(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "typer.py").write_text("raise KeyboardInterrupt\n")
    environment = ENVIRONMENT | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{REPOSITORY}"}
    done = subprocess.run(
        [sys.executable, *command, "datasets"], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_version(me_datasets: Run) -> None:
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
