"""A synthetic dataset and its manifest, shared by tests that only read them."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasets_me.schema import schema_files
from datasets_me.synthetic.write import make
from tests.conftest import Run


@pytest.fixture(scope="session")
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
