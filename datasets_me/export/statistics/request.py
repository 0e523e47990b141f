"""The statistics that ``me-datasets stats`` is asked for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from datasets_me.core.choices import Distances
from datasets_me.core.errors import MeDatasetsError
from datasets_me.export.statistics import auwgcn_section, channels, report
from datasets_me.formats import features as feature_files
from datasets_me.formats import split as split_files
from datasets_me.formats.manifest import Manifest

_FASTEST = 100_000.0  # frames a second; no camera of faces comes near


def measured(
    manifest: Manifest,
    progress: Callable[[str], AbstractContextManager[Callable[..., None]]],
    *,
    fps: float | None = None,
    features: Path | None = None,
    split: Path | None = None,
) -> dict[str, Any]:
    """Lengths of expressions and, of features, mean and deviation of each channel: of all, or of each fold's training.

    Raises:
        MeDatasetsError: the rate is none, there is a split and no features, or a folder cannot be read.
    """
    _check_rate(fps)
    if split is not None and features is None:
        raise MeDatasetsError(
            "--split chooses whose features are measured, but no features are given", fix="give FEATURES"
        )
    statistics = report.statistics(manifest, fps)
    if features is not None:
        folds = split_files.read(split) if split is not None else None
        folder = feature_files.read(features, manifest)
        with progress("features") as update:
            statistics["channels"] = report.channels(channels.of_folds(folder, manifest, folds, update))
    return statistics


def config(manifest: Manifest, *, fps: float | None = None, distances: Distances | None = None) -> str:
    """The section of ``config.yaml`` that AUW-GCN and ABPN read, as YAML.

    Raises:
        MeDatasetsError: the rate is none, or a type of expressions has no length.
    """
    _check_rate(fps)
    return auwgcn_section.to_yaml(auwgcn_section.section(manifest, fps, distances)).rstrip()


def _check_rate(fps: float | None) -> None:
    if fps is not None and not 1 <= fps <= _FASTEST:
        raise MeDatasetsError(f"--fps must be 1 to {_FASTEST:g}, not {fps:g}")
