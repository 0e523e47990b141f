"""The numbers of a dataset that the training scripts of AUW-GCN and ABPN read from their ``config.yaml``.

They compare lengths with ``end - start``, so lengths here are offset - onset, one less than the number of frames, over
rows where both are annotated, at the frame rate they train at. Of a type's lengths, ``min`` and ``max`` are the least
and the greatest and ``average_len`` is the mean, rounded; the search around an apex reaches from ``min // 2`` to
``average_len // 2`` frames to both sides. That is the rule of the published values for SAMM Long Videos, except two:
there ``micro_left_max_dis`` and ``micro_right_max_dis`` are 7, where the rule gives 4. The published values for
CAS(ME)² (15 and 59 frames on average, 5 to 30 and 15 to 90 long) are not those of the annotations (13 and 39, 8 to 16
and 3 to 117); only the distances follow from the lengths by the rule above.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from datasets_me.core.errors import MeDatasetsError
from datasets_me.export.statistics.lengths import frames_at
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation
from datasets_me.schema.spec import ExpressionType

TYPES: tuple[ExpressionType, ...] = ("micro", "macro")


def training_fps(manifest: Manifest) -> float:
    """The frame rate at which the field trains on this dataset."""
    return manifest.spec.auwgcn_csv.fps if manifest.spec.auwgcn_csv else manifest.spec.fps


def section(manifest: Manifest, fps: float | None = None) -> dict[str, Any]:
    """``micro_average_len`` to ``macro_right_max_dis``, and ``subject_list``.

    Raises:
        MeDatasetsError: there is no micro- or no macro-expression with a length; the scripts need both.
    """
    rate = fps or training_fps(manifest)
    out: dict[str, Any] = {}
    for kind in TYPES:
        found = _lengths([row for row in manifest.annotations if row.type == kind], rate)
        if not found:
            raise MeDatasetsError(
                f"no {kind}-expression of {manifest.spec.id} has a length, and the training scripts need both types",
                fix="print the statistics with --format json instead",
            )
        out[f"{kind}_average_len"] = round(sum(found) / len(found))
        out[f"{kind}_max"], out[f"{kind}_min"] = max(found), min(found)
    for kind in TYPES:
        for side in ("left", "right"):
            out[f"{kind}_{side}_min_dis"] = out[f"{kind}_min"] // 2
            out[f"{kind}_{side}_max_dis"] = out[f"{kind}_average_len"] // 2
    out["subject_list"] = sorted({row.subject for row in manifest.annotations})
    return out


def to_yaml(values: dict[str, Any]) -> str:
    """A section as YAML, in the order given."""
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100)


def _lengths(rows: Sequence[Annotation], fps: float) -> list[int]:
    frames = (frames_at(row, fps) for row in rows)
    return [
        offset - onset for onset, _, offset in frames if onset is not None and offset is not None and offset >= onset
    ]
