"""Small manifests and features, made in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from datasets_me.core.tables import write_parquet
from datasets_me.formats import features as feature_files
from datasets_me.formats import split as split_files
from datasets_me.formats.features import FeatureFolder
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation, SplitRow, VideoFeatures
from datasets_me.schema import schema_files


def annotation(
    number: int = 1, onset: int | None = 10, apex: int | None = 14, offset: int | None = 20, **fields: Any
) -> Annotation:
    """Row ``number`` of a workbook: a micro-expression of casme_015_0401, unless ``fields`` say otherwise."""
    video = fields.get("video", "casme_015_0401")
    subject = video.rpartition("_")[0]
    told = {"dataset": "casme-sq", "subject": subject, "video": video, "type": "micro", "fps": 30.0} | fields
    raw = {
        f"{name}_raw": str(frame + 1) if frame is not None else "0"
        for name, frame in (("onset", onset), ("apex", apex), ("offset", offset))
    }
    cells = {name: f"{column}{number}" for name, column in (("onset", "C"), ("apex", "D"), ("offset", "E"))}
    return Annotation(
        id=f"{video}:{number}",
        onset=onset,
        apex=apex,
        offset=offset,
        source_file="book.xlsx",
        source_sheet="codes",
        source_row=number,
        source_cells=cells,
        **{**raw, **told},
    )


def manifest(*rows: Annotation, dataset: str = "casme-sq") -> Manifest:
    """A manifest of some annotations and nothing else."""
    sources = [{"name": "book.xlsx", "sha256": "a" * 64, "bytes": 1}]
    variant = {"casme-sq": "three-sheets"}.get(dataset, "facs-movement-only")
    return Manifest(schema_files.load(dataset), list(rows), [], [], variant, sources)


def noise(count: int, seed: int = 0, regions: int = 12) -> np.ndarray:
    """Features (count, regions, 2) float32."""
    return np.random.default_rng(seed).normal(0.1, 2, (count, regions, 2)).astype(np.float32)


def arrays(folder: Path, made: Manifest, videos: Mapping[str, np.ndarray]) -> FeatureFolder:
    """Arrays from elsewhere."""
    for video, array in videos.items():
        place = folder / video.rpartition("_")[0] / f"{video}.npy"
        place.parent.mkdir(parents=True, exist_ok=True)
        np.save(place, array)
    return feature_files.read(folder, made)


def extraction(
    folder: Path,
    feature: np.ndarray,
    quality: Sequence[int] | None = None,
    valid: np.ndarray | None = None,
    **fields: Any,
) -> FeatureFolder:
    """An extraction of one video, casme_015_0401; ``valid`` goes with ``quality``."""
    step = fields.get("step", 1)
    row = VideoFeatures(
        dataset="casme-sq",
        subject="casme_015",
        video="casme_015_0401",
        name="casme_015_0401",
        status="ok",
        features="features/v.npy",
        landmarks="landmarks/v.npz" if quality is not None else None,
        frames=len(feature) + step,
        key="k" * 8,
        **{"fps": 30.0, **fields},
    )
    for name in ("features", "landmarks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    np.save(folder / "features" / "v.npy", feature)
    if quality is not None:
        landmarks = np.zeros((len(quality), 68, 2), np.float32)
        more = {} if valid is None else {"valid": valid}
        np.savez(folder / "landmarks" / "v.npz", quality=np.array(quality, np.uint8), landmarks=landmarks, **more)
    write_parquet(VideoFeatures, [row], folder / "features.parquet")
    return FeatureFolder(folder, (row,), True)


def split(path: Path, *rows: tuple[str, str, str, str, str | None]) -> Path:
    """A split of casme-sq: fold, part, subject, video, annotation."""
    made = [
        SplitRow(fold=fold, part=part, dataset="casme-sq", subject=subject, video=video, annotation=one)
        for fold, part, subject, video, one in rows
    ]
    unit = "video" if made[0].annotation is None else "expression"
    split_files.write(split_files.Split("loso", unit, tuple(made)), path)
    return path
