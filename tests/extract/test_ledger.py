"""What is written down as done, in a folder that a stranger may have prepared."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from datasets_me.core.errors import PathError, WriteError
from datasets_me.extract import ledger
from datasets_me.extract.extract import extract
from datasets_me.extract.options import ExtractOptions
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import VideoFeatures

ROW = VideoFeatures(dataset="d", subject="s", video="v", name="v", status="ok", features="features/s/v.npy", fps=30)


def write(out: Path, files: dict[str, int], row: VideoFeatures = ROW) -> Path:
    path = out / "done" / "s" / "v.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"stamp": "x", "files": files, "row": row.model_dump(), "findings": []}))
    return path


@pytest.mark.parametrize("path", ["../private.npy", "features/../../private.npy", "features/out/private.npy"])
def test_nothing_outside_is_believed_or_removed(tmp_path: Path, path: str) -> None:
    out, private = tmp_path / "out", tmp_path / "private.npy"
    private.write_text("mine")
    (out / "features" / "s").mkdir(parents=True)
    (out / "features" / "out").symlink_to(tmp_path)
    (out / "features" / "s" / "v.npy").write_text("array")
    (out / "mine.txt").write_text("mine")
    write(out, {"features/s/v.npy": 5})
    assert ledger.done(out, "s", "v") == ledger.Done(ROW, [])
    write(out, {"features/s/v.npy": 5}, ROW.model_copy(update={"features": path}))
    assert ledger.done(out, "s", "v") is None or path.startswith("features/out")
    marker = write(out, {path: 4, "mine.txt": 4, "features/s/v.npy": 5})
    assert ledger.done(out, "s", "v") is None
    ledger.remove_all(out)
    assert private.read_text() == (out / "mine.txt").read_text() == "mine"
    assert not marker.exists() and not (out / "features" / "s" / "v.npy").exists()


def test_nothing_behind_a_link_is_removed(tmp_path: Path) -> None:
    write(tmp_path / "private", {})
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "done").symlink_to(tmp_path / "private" / "done")
    with pytest.raises(PathError, match="goes through a link that leads out of the folder"):
        ledger.remove_all(tmp_path / "out")
    assert (tmp_path / "private" / "done" / "s" / "v.json").is_file()


@pytest.mark.parametrize("name", ["done", "features", "landmarks"])
def test_an_output_that_leads_elsewhere_is_refused(one: tuple[Path, Path, Manifest], tmp_path: Path, name: str) -> None:
    (tmp_path / "private").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).symlink_to(tmp_path / "private")
    with pytest.raises(PathError, match=f"'{name}' goes through a link that leads out of the folder"):
        extract(one[2], one[0], tmp_path / "out", ExtractOptions())
    assert list((tmp_path / "private").iterdir()) == []


def test_a_lock_that_cannot_be_had_ends_the_run_with_an_error(one: tuple[Path, Path, Manifest], tmp_path: Path) -> None:
    root, _, manifest = one
    first = extract(manifest, root, tmp_path / "out", ExtractOptions())
    assert first.rows[0].status == "ok"
    assert [path.name for path in (tmp_path / "out" / "done" / "casme_015").iterdir()] == ["casme_015_0101.json"]
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "out" / "done" / "casme_015" / ".casme_015_0101.json.lock").symlink_to(tmp_path / "victim")
    with pytest.raises(WriteError, match="the lock cannot be taken: "):
        extract(manifest, root, tmp_path / "out", ExtractOptions(), force=True)
    assert (tmp_path / "victim").read_text() == "mine"
