"""An installed wheel works as a checkout does."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The console script of a wheel, in an environment that holds nothing else of this project.

    The wheel's dependencies are those of the test environment, reached by a path file: what is tested is the wheel.
    """
    place = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", place, REPOSITORY]
    subprocess.run(build, check=True, capture_output=True, timeout=120)
    (wheel,) = place.glob("*.whl")
    venv.create(place / "env", with_pip=True)
    python = place / "env" / "bin" / "python"
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel],
        check=True,
        capture_output=True,
        timeout=120,
    )
    (site,) = (place / "env" / "lib").glob("python*/site-packages")
    # sys.path.append, not the path itself: the editable install of the checkout must not be activated.
    (site / "dependencies.pth").write_text(f"import sys; sys.path.append({sysconfig.get_paths()['purelib']!r})\n")
    return place / "env" / "bin" / "me-datasets"


def run(script: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [script, *arguments], cwd=cwd, capture_output=True, text=True, timeout=120, env=environment, check=False
    )


def test_the_wheel_holds_what_the_checkout_holds(installed: Path) -> None:
    (wheel,) = installed.parents[2].glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder, inside in (
        ("datasets_me", "datasets_me"),
        ("schemas", "datasets_me/schemas"),
        ("cards", "datasets_me/cards"),
    ):
        for path in (REPOSITORY / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert f"{inside}/{path.relative_to(REPOSITORY / folder).as_posix()}" in names


def test_the_whole_way_from_another_folder(installed: Path, tmp_path: Path) -> None:
    where = "import datasets_me; print(datasets_me.__file__)"
    python = installed.with_name("python")
    location = subprocess.run([python, "-c", where], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert str(REPOSITORY) not in location
    assert "samm-lv" in run(installed, "datasets", cwd=tmp_path).stdout
    assert run(installed, "synth", "casme2", "set", "--subjects", "2", cwd=tmp_path).returncode == 0
    done = run(installed, "convert", "set/schema.yaml", "set", "--root", "set", "-o", "m", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert run(installed, "check", "m", "--root", "set", "--format", "html", cwd=tmp_path).returncode == 0
    assert "folder-unknown" in run(installed, "explain", "ME203", cwd=tmp_path).stdout


@pytest.mark.parametrize("command", [["-m", "datasets_me"], ["cli.py"]])
def test_a_checkout_runs_in_two_more_ways(command: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, *command, "--version"], cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.startswith("me-datasets ")
