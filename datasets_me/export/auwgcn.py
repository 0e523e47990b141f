"""``me-datasets export auwgcn``: everything the AUW-GCN project needs for training, in one folder.

::

    config.yaml                      paths, numbers of this dataset, and the authors' settings
    segments/train|test/<subject>/   as `export segments` writes them, with its tables beside
    info_csv/<name>.csv              the 7-column CSV
    assets/<dataset>.npy             the graph of regions
    normalisation.json               mean and std of these features, beside those that the project uses

The project (Yin et al., ICME 2023; github.com/xjtupanda/AUW-GCN) looks for ``config.yaml`` and ``assets`` in the
current directory, so it runs unmodified in this folder::

    cd DIR && python AUW-GCN/train.py --dataset "cas(me)^2" --output output --subject casme_015

Its evaluation adds 1 to the frames it predicts. For CAS(ME)², whose CSV counts from 1, that fits labels that count from
0, as ours do; the published labels are one frame later. For SAMM Long Videos the CSV counts from 0, so predictions
are compared one frame late. Rows without an offset have the offset 0 in the CSV, so no prediction can match them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datasets_me.core import artefact
from datasets_me.core.arrays import load_npz
from datasets_me.core.choices import Compat, Distances
from datasets_me.core.errors import FeaturesError
from datasets_me.core.paths import under
from datasets_me.core.tables import write_parquet
from datasets_me.export import auwgcn_csv
from datasets_me.export.options import SegmentOptions
from datasets_me.export.segments import ExportedSegments, add_segments
from datasets_me.export.statistics import auwgcn_section, graph, region_tables
from datasets_me.export.statistics.channels import Moments, merge, of_array
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats.features import FeatureFolder
from datasets_me.formats.items import FINDINGS, ItemRow, describe, read_items
from datasets_me.formats.kinds import AUWGCN
from datasets_me.formats.manifest import Manifest

CONFIG, NORMALISATION = "config.yaml", "normalisation.json"

REGIONS = "twelve"
LENGTH, CONTEXT = 256, 7

PUBLISHED_MEAN, PUBLISHED_STD = (0.003463, 0.003873), (0.548588, 0.645621)
"""The constants that ``datasets.py`` of the project subtracts from x and y, and divides by."""

_FAR = 5.0  # a standard deviation so many times larger or smaller than the published one is a finding

# The settings that the authors published for CAS(ME)², under their names, misspelt ones included.
_SETTINGS: dict[str, Any] = {
    "RATIO_SCALE": 1,
    "SEGMENT_LENTH": LENGTH,
    "RECEPTIVE_FILED": 2 * CONTEXT + 1,
    "save_model": True,
    "save_intervals": 1,
    "epoch_begin": 15,
    "nms_top_K_micro": 5,
    "nms_top_K_macro": 5,
    "num_workers": 2,
    "device": "cuda:0",
    "abfcm_training_lr": 0.01,
    "abfcm_weight_decay": 0.1,
    "abfcm_lr_scheduler": 0.96,
    "abfcm_apex_gamma": 1,
    "abfcm_apex_alpha": 0.9,
    "abfcm_action_gamma": 1,
    "abfcm_action_alpha": 0.8,
    "abfcm_start_end_gama": 1,
    "abfcm_start_end_alpha": 0.9,
    "abfcm_label_smooth": 0.16,
    "abfcm_best_epoch": 47,
    "micro_apex_score_threshold": 0.5,
    "macro_apex_score_threshold": 0.5,
    "epochs": 100,
    "batch_size": 128,
    "verbose": False,
    "macro_ration": 0.5,
    "micro_normal_range": 1,
    "macro_normal_range": 3,
}

_HEADER = """\
# For github.com/xjtupanda/AUW-GCN, run in this folder. Lengths, distances and subjects are those of the annotations,
# in frames from onset to offset at {fps:g} frames a second; everything else is as its authors published it.
"""

_NOTE = (
    "datasets.py of the project subtracts 'published.mean' and divides by 'published.std', whatever the features are. "
    "The published numbers are in px per frame; the features of the published extractor are in units of 20 px, so that "
    "they come out 20 times too small. To normalise the features of this folder, put the numbers under 'without' of "
    "the tested subject there; they are null where there is no other subject."
)


@dataclass(frozen=True)
class AuwgcnOptions:
    """How the folder is made.

    Attributes:
        compat: label segments, read action units and measure lengths exactly as the published scripts do.
        distances: how far from an apex the project looks for start and end, as in `auwgcn_section.section`.
        features_fps: the frame rate of arrays from elsewhere, where it is not the annotations'.
    """

    compat: Compat | None = None
    distances: Distances | None = None
    features_fps: float | None = None


@dataclass(frozen=True)
class ExportedAuwgcn:
    """The segments written, the project's name of the dataset, and mean and standard deviation of x and y."""

    exported: ExportedSegments
    dataset: str
    mean: tuple[float, float]
    std: tuple[float, float]
    findings: list[Finding]


def write(
    manifest: Manifest,
    features: FeatureFolder,
    out: Path,
    options: AuwgcnOptions = AuwgcnOptions(),
    *,
    force: bool = False,
    progress: Callable[[int, int, str], None] | None = None,
) -> ExportedAuwgcn:
    """Write the folder, at the frame rate that the field trains at.

    Raises:
        MeDatasetsError: the project has no such dataset, the features do not have twelve regions, or the folder
            cannot be written.
    """
    rows = list(auwgcn_csv.rows(manifest))  # raises for datasets without such a CSV
    convention = manifest.spec.auwgcn_csv
    assert convention is not None
    section = auwgcn_section.section(manifest, convention.fps, options.distances, compat=options.compat)
    table = region_tables.load(REGIONS)
    _check_regions(features, len(table.regions))
    name = convention.dataset or manifest.spec.id
    csv = f"info_csv/{convention.file or f'{manifest.spec.id}.csv'}"
    segments = SegmentOptions(
        length=LENGTH,
        context=CONTEXT,
        compat=options.compat,
        fps=convention.fps,
        features_fps=options.features_fps,
    )
    with artefact.new_folder(out, AUWGCN, force=force) as new:
        folder = new.path
        exported = add_segments(manifest, features, folder, segments, progress)
        auwgcn_csv.write(manifest, folder / csv)
        graph.write(graph.graph(manifest.annotations, table, compat=options.compat), folder / "assets" / f"{name}.npy")
        (folder / CONFIG).write_text(_config(name, csv, section, convention.training, convention.fps), encoding="utf-8")
        by_subject = _by_subject(folder)
        everything = merge(by_subject.values()).pooled()
        constants = _normalisation(by_subject, everything, features)
        (folder / NORMALISATION).write_text(json.dumps(constants, indent=2) + "\n", encoding="utf-8")
        findings = [*exported.findings, *_far(everything)]
        write_parquet(Finding, findings, folder / FINDINGS)
        about = {"options": segments.as_dict(), "manifest": describe(manifest), "rows": len(rows)}
        new.about.update(about)
    mean, std = _pair(everything.mean), _pair(everything.std())
    return ExportedAuwgcn(exported, name, mean, std, findings)


def _check_regions(features: FeatureFolder, regions: int) -> None:
    row = next((row for row in features.rows if row.features is not None), None)
    count = features.load(row).shape[1] if row is not None else regions
    if count != regions:
        raise FeaturesError(
            f"the network of AUW-GCN takes {regions} regions, but the features have {count}",
            where=str(features.folder),
            fix="extract with the twelve regions",
        )


def _config(name: str, csv: str, section: dict[str, Any], chosen: dict[str, int | float], fps: float) -> str:
    values = {
        "dataset": name,
        "project_root": "./",
        "segment_feat_root": "./segments",
        "anno_csv": f"./{csv}",
        **section,
        **_SETTINGS,
        **chosen,
    }
    return _HEADER.format(fps=fps) + auwgcn_section.to_yaml({"dataset": name, name: values})


def _by_subject(folder: Path) -> dict[str, Moments]:
    """The moments of each subject's features, without context, padding and what is not valid."""
    rows: dict[str, list[ItemRow]] = {}
    for row in read_items(folder):
        if row.part == "test":
            rows.setdefault(row.subject, []).append(row)
    if not rows:
        raise FeaturesError("no video has features for a segment", fix="look at the findings of the extraction")
    return {subject: merge(map(of_array, _frames(folder, rows[subject]))) for subject in sorted(rows)}


def _frames(folder: Path, rows: list[ItemRow]) -> Iterator[NDArray[np.float32]]:
    for row in rows:
        item = load_npz(under(folder, row.file), ["feature", "valid"])
        core = slice(CONTEXT, CONTEXT + row.length)
        yield np.where(item["valid"][core, :, None], item["feature"][core], np.float32("nan"))


def _normalisation(by_subject: dict[str, Moments], everything: Moments, features: FeatureFolder) -> dict[str, Any]:
    others = {subject: [moments for other, moments in by_subject.items() if other != subject] for subject in by_subject}
    units = sorted({row.unit_px for row in features.rows}) if features.extracted else None
    return {
        "note": _NOTE,
        "axes": ["x", "y"],
        "unit_px": units,
        "all": _constants(everything),
        "without": {subject: _constants(merge(rest).pooled()) if rest else None for subject, rest in others.items()},
        "published": {"mean": list(PUBLISHED_MEAN), "std": list(PUBLISHED_STD)},
    }


def _constants(moments: Moments) -> dict[str, Any]:
    return {"mean": _pair(moments.mean), "std": _pair(moments.std()), "values": moments.count[0].tolist()}


def _pair(values: NDArray[np.float64]) -> tuple[float, float]:
    """The pooled values (1, 2) as a pair, 0 where unknown."""
    x, y = np.nan_to_num(values.reshape(-1, 2)[0]).tolist()
    return x, y


def _far(everything: Moments) -> Iterator[Finding]:
    std = _pair(everything.std())
    if any(not 1 / _FAR < value / published < _FAR for value, published in zip(std, PUBLISHED_STD, strict=True)):
        message = (
            f"the standard deviations of the features are {std[0]:.4g} and {std[1]:.4g}; the project divides by "
            f"{PUBLISHED_STD[0]:g} and {PUBLISHED_STD[1]:g}"
        )
        yield finding("ME533", message, expected=f"{PUBLISHED_STD}", found=f"{std}", path=NORMALISATION)
