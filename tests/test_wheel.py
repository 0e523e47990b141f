"""An installed wheel works as a checkout does, without any library that only an extra brings."""

from __future__ import annotations

import importlib.metadata
import os
import shlex
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "scripts"))
import smoke

pytestmark = pytest.mark.slow

BARE = """
import sys
from importlib.abc import MetaPathFinder


class Only(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in REFUSED:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.path.append(LIBRARIES)
sys.meta_path.insert(0, Only())
"""
"""Reaches the libraries of the test environment, but for those that are refused."""


def core_only(wheel: Path) -> set[str]:
    """The top-level modules that are installed here and that the core does not ask for."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        lines = archive.read(name).decode().partition("\n\n")[0].splitlines()
    wanted = [Requirement(line.partition(": ")[2]) for line in lines if line.startswith("Requires-Dist: ")]
    needed: set[str] = set()
    while wanted:
        requirement = wanted.pop()
        name = canonicalize_name(requirement.name)
        if (requirement.marker and not requirement.marker.evaluate({"extra": ""})) or name in needed:
            continue
        needed.add(name)
        wanted += map(Requirement, importlib.metadata.requires(name) or ())
    modules = importlib.metadata.packages_distributions()
    return {module for module, owners in modules.items() if not needed & set(map(canonicalize_name, owners))}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The console script of a wheel, in an environment that holds nothing but it and what its core asks for."""
    place = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", place, REPOSITORY]
    subprocess.run(build, check=True, capture_output=True, timeout=120)
    (wheel,) = place.glob("*.whl")
    venv.create(place / "env")
    python = place / "env" / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel]
    subprocess.run(install, check=True, capture_output=True, timeout=120)
    (site,) = (place / "env" / "lib").glob("python*/site-packages")
    program = BARE.replace("REFUSED", repr(core_only(wheel) - {"datasets_me"}))
    (site / "bare.py").write_text(program.replace("LIBRARIES", repr(sysconfig.get_paths()["purelib"])))
    (site / "bare.pth").write_text("import bare\n")
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


def test_the_core_works_from_another_folder_and_without_extras(installed: Path, tmp_path: Path) -> None:
    where = "import datasets_me; print(datasets_me.__file__)"
    python = installed.with_name("python")
    location = subprocess.run([python, "-c", where], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert str(REPOSITORY) not in location
    for library in ("pandas", "cv2", "torch", "matplotlib"):
        assert subprocess.run([python, "-c", f"import {library}"], cwd=tmp_path, capture_output=True).returncode == 1
    for command in smoke.CORE:
        done = run(installed, *shlex.split(command), cwd=tmp_path)
        assert done.returncode in (0, 1), f"{command}: {done.stderr}"
        assert "error:" not in done.stderr
    assert (tmp_path / "report.html").stat().st_size > 1000
    # a header, and two expressions in each of sixteen videos
    assert (tmp_path / "table.csv").read_text().count("\n") == 33


def test_a_verb_that_needs_an_extra_names_it(installed: Path, tmp_path: Path) -> None:
    for command in ("synth casme2 set --subjects 2", "convert set/schema.yaml set -o manifest"):
        assert run(installed, *command.split(), cwd=tmp_path).returncode == 0
    done = run(installed, "card", "manifest", "-o", "card", cwd=tmp_path)
    assert done.returncode == 2
    assert "plots" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [["-m", "datasets_me"], ["cli.py"]])
def test_a_checkout_runs_in_two_more_ways(command: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, *command, "--version"], cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.startswith("me-datasets ")


def test_every_extra_is_tried() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = set(project["optional-dependencies"]) - {"dev", "docs"}
    assert set(smoke.EXTRAS) == {"", *extras}
    jobs = yaml.safe_load((REPOSITORY / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))["jobs"]
    assert set(jobs["packages"]["strategy"]["matrix"]["extra"]) == {"", *extras}
