"""The numbers of a dataset that the training scripts of AUW-GCN and ABPN read from their ``config.yaml``.

They compare lengths with ``end - start`` and look for start and end so many frames before and after an apex
(``utils/eval_utils.py`` of github.com/xjtupanda/AUW-GCN). Lengths here are therefore offset - onset, one less than the
number of frames, and distances apex - onset and offset - apex, at the frame rate they train at. ``min``, ``max`` and
``average_len`` are the least, the greatest and the mean length, rounded. Rows whose frames are out of order (ME107) do
not count, and neither do rows that are longer than their video.

How far the scripts look for start and end is a choice (`Distances`). The published one is ``mean``: from ``min // 2``
to ``average_len // 2`` frames on both sides. The published values for SAMM Long Videos follow that rule with two
exceptions: ``micro_left_max_dis`` and ``micro_right_max_dis`` are 7, where the rule gives 4. The published lengths for
CAS(ME)² (15 and 59 frames on average, 5 to 30 and 15 to 90 long) are not those of the annotations (13 and 39, 8 to 16
and 16 to 117); only the distances follow from the published lengths by the rule above. By that rule, 74 of its 252
macro-expressions with an apex have both onset and offset within reach.

The scripts also drop proposals of macro-expressions longer than one and a half times ``macro_average_len``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import yaml

from datasets_me.core.choices import Compat, Distances, ExpressionType
from datasets_me.core.errors import MeDatasetsError
from datasets_me.export.statistics.lengths import Frames, frames_at
from datasets_me.formats.frame_files import measurable
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation

TYPES: tuple[ExpressionType, ...] = ("micro", "macro")

RULES: tuple[Distances, ...] = get_args(Distances)


@dataclass(frozen=True)
class Search:
    """The lengths of the expressions of one type, as differences of frame numbers, and the distances that follow.

    Attributes:
        rows: expressions with a length.
        average: the mean length, rounded.
        length: the smallest and the largest.
        apexes: how many of them also have an apex.
        left, right: for each rule the smallest and the largest distance before and after an apex.
        within: for each rule, how many of ``apexes`` have their onset and offset at such distances.
    """

    rows: int
    average: int
    length: tuple[int, int]
    apexes: int
    left: Mapping[Distances, tuple[int, int]]
    right: Mapping[Distances, tuple[int, int]]
    within: Mapping[Distances, int]


def training_fps(manifest: Manifest) -> float:
    """The frame rate at which the field trains on this dataset."""
    return manifest.spec.auwgcn_csv.fps if manifest.spec.auwgcn_csv else manifest.spec.fps


def section(
    manifest: Manifest,
    fps: float | None = None,
    distances: Distances | None = None,
    *,
    compat: Compat | None = None,
) -> dict[str, Any]:
    """``micro_average_len`` to ``macro_right_max_dis``, and ``subject_list``.

    Args:
        distances: `Distances`; None is ``observed``, or with ``compat`` the published ``mean``.
        compat: count every row whose offset does not lie before its onset, as the published numbers do.

    Raises:
        MeDatasetsError: no micro- or no macro-expression has a length, and the scripts need both; or ``compat`` is
            combined with a rule other than the published one.
    """
    if compat and distances not in (None, "mean"):
        raise MeDatasetsError(
            "with --compat, the only rule for the distances is 'mean', the published one",
            fix="leave out --distances, or --compat",
        )
    rule = distances or ("mean" if compat else "observed")
    rate = fps or training_fps(manifest)
    rows = manifest.annotations if compat else measurable(manifest)
    out: dict[str, Any] = {}
    results: dict[ExpressionType, Search] = {}
    for kind in TYPES:
        result = search([row for row in rows if row.type == kind], rate)
        if result is None:
            raise MeDatasetsError(
                f"no {kind}-expression of {manifest.spec.id} has a length, and the training scripts need both types",
                where=", ".join(source["name"] for source in manifest.sources),
                fix="print the statistics with --format json instead",
            )
        results[kind] = result
        out[f"{kind}_average_len"] = result.average
        out[f"{kind}_min"], out[f"{kind}_max"] = result.length
    for kind in TYPES:
        for side, limits in (("left", results[kind].left), ("right", results[kind].right)):
            out[f"{kind}_{side}_min_dis"], out[f"{kind}_{side}_max_dis"] = limits[rule]
    out["subject_list"] = sorted({row.subject for row in manifest.annotations})
    return out


def searches(manifest: Manifest, fps: float | None = None) -> dict[str, Any]:
    """The numbers behind the section, at ``fps`` or the rate that the field trains at.

    For each type: its lengths, and for each rule the distances and how many expressions lie within them.
    """
    rate = fps or training_fps(manifest)
    rows = measurable(manifest)
    types: dict[str, Any] = {}
    for kind in TYPES:
        result = search([row for row in rows if row.type == kind], rate)
        if result is not None:
            types[kind] = {
                "rows": result.rows,
                "apexes": result.apexes,
                "average_len": result.average,
                "length": list(result.length),
                "distances": {
                    rule: {
                        "left": list(result.left[rule]),
                        "right": list(result.right[rule]),
                        "within": result.within[rule],
                    }
                    for rule in RULES
                },
            }
    return {"fps": rate, "types": types}


def search(rows: Sequence[Annotation], fps: float) -> Search | None:
    """The lengths of expressions at a frame rate, and the distances by each rule; None where no length is known."""
    frames = [frames_at(row, fps) for row in rows]
    lengths = [b - a for a, _, b in frames if a is not None and b is not None and b >= a]
    if not lengths:
        return None
    average = round(sum(lengths) / len(lengths))
    mean = (min(lengths) // 2, average // 2)
    sides = [sides for row in frames if (sides := _sides(row)) is not None]
    left, right = (_limits([pair[side] for pair in sides], mean) for side in (0, 1))
    within = {
        rule: sum(
            left[rule][0] <= before <= left[rule][1] and right[rule][0] <= after <= right[rule][1]
            for before, after in sides
        )
        for rule in RULES
    }
    return Search(len(lengths), average, (min(lengths), max(lengths)), len(sides), left, right, within)


def to_yaml(values: dict[str, Any]) -> str:
    """A section as YAML, in the order given."""
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100)


def _limits(distances: Sequence[int], mean: tuple[int, int]) -> dict[Distances, tuple[int, int]]:
    if not distances:
        return dict.fromkeys(RULES, mean)
    low, high = (float(value) for value in np.quantile(distances, (0.05, 0.95)))
    return {
        "mean": mean,
        "observed": (min(mean[0], *distances), max(mean[1], *distances)),
        "q95": (math.floor(low), math.ceil(high)),
    }


def _sides(frames: Frames) -> tuple[int, int] | None:
    """The distances of the apex from onset and offset, where all three are known and in order."""
    onset, apex, offset = frames
    if onset is None or apex is None or offset is None or not onset <= apex <= offset:
        return None
    return apex - onset, offset - apex
