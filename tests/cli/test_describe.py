"""What ``stats`` and ``split`` print about very little."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from datasets_me.cli import app
from datasets_me.formats import manifest as manifests
from tests.export.builders import annotation, manifest


def test_one_of_each_is_singular(tmp_path: Path) -> None:
    manifests.write(manifest(annotation()), tmp_path / "one")
    printed = CliRunner().invoke(app, ["stats", str(tmp_path / "one")]).stdout
    assert "\n1 annotation of 1 subject in 1 video; lengths in frames at 30 frames a second, " in printed
    manifests.write(manifest(annotation(), annotation(2, video="casme_016_0401")), tmp_path / "two")
    names = [str(tmp_path / "two"), "-o", str(tmp_path / "split"), "--protocol", "holdout", "--test", "0.5"]
    assert "\n1 fold of videos, protocol holdout, seed 0\n" in CliRunner().invoke(app, ["split", *names]).stdout
