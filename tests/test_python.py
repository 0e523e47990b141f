"""From Python: every path may be a text, and every public name is there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import datasets_me as me
from datasets_me.core.errors import OutputError


def test_paths_may_be_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = me.make_synthetic(me.load_schema("casme-sq"), "film", subjects=2)
    schema = me.load_schema(made.schema)
    conversion = me.convert(schema, str(made.workbook))
    assert conversion.manifest() == me.convert(schema, made.workbook).manifest()
    manifest = me.with_folders(conversion.manifest(), str(made.root))
    me.write_manifest(manifest, "manifest")
    assert me.read_manifest("manifest").videos == me.with_folders(conversion.manifest(), made.root).videos
    assert me.check(manifest, str(made.root)).findings == me.check(manifest, made.root).findings
    for video in manifest.videos:
        path = Path("features") / str(video.subject) / f"{video.video}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, np.zeros(((video.frames or 0) + (video.missing or 0) - 1, 12, 2), np.float32))
    written = me.write_segments(manifest, me.read_features("features", manifest), "segments")
    first = next(Path("segments").rglob("*.npz"))
    assert me.trace(str(first)) == me.trace(first)
    assert me.write_clips(manifest, str(made.root), "clips").clips == len(manifest.annotations)
    me.append_decisions("decisions", [])
    assert me.read_decisions("decisions").rows == ()
    with pytest.raises(OutputError, match="the export of segments exists already"):
        me.write_segments(manifest, me.read_features("features", manifest), "segments")
    assert me.write_segments(manifest, "features", "again").segments == written.segments > 0
    with pytest.raises(me.MeDatasetsError, match="there cannot be -1 workers"):
        me.extract(manifest, made.root, "out", workers=-1)
    with pytest.raises(me.MeDatasetsError, match="'3 of 4' is no share"):
        me.extract(manifest, made.root, "out", shard="3 of 4")
    with pytest.raises(me.MeDatasetsError, match=r"no video fits casme_1\n"):
        me.extract(manifest, made.root, "out", videos="casme_1")
    assert not Path("out").exists()


@pytest.mark.parametrize(
    "call",
    [
        lambda manifest: me.check(manifest, "root"),
        lambda manifest: me.with_folders(manifest, "root"),
        lambda manifest: me.decide(manifest, me.read_decisions("none")),
        lambda manifest: me.extract(manifest, "root", "out"),
        lambda manifest: me.read_features("features", manifest),
        lambda manifest: me.write_manifest(manifest, "out"),
        lambda manifest: me.write_segments(manifest, "features", "out"),
        lambda manifest: me.write_clips(manifest, "root", "out"),
    ],
)
def test_what_is_no_manifest_is_refused(
    call: Callable[[Any], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    me.append_decisions("none", [])
    for manifest, what in (("set-manifest", "the path 'set-manifest'"), (Path("m"), "the path 'm'"), (3, "int")):
        with pytest.raises(me.MeDatasetsError) as caught:
            call(manifest)
        assert str(caught.value) == (
            f"a manifest is needed, not {what}\n"
            "  to do: read_manifest(folder) reads one, convert(schema, workbook).manifest() makes one"
        )
    assert not Path("out").exists()


def test_every_public_name_is_there() -> None:
    assert all(getattr(me, name) is not None for name in me.__all__)
    assert set(me.__all__) <= set(dir(me))
