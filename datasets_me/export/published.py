"""Labels exactly as the published AUW-GCN scripts make them, mistakes included.

``new_feature_segment.py`` in github.com/xjtupanda/AUW-GCN takes the numbers of the 7-column CSV as indices into the
features. 0 means "not annotated"; a row with two zeros or more is left out, and so is one whose apex lies at or after
the end of the features. A missing end is ``2 * apex - start``, otherwise a missing apex is ``(start + end) // 2``. An
end at or after the last feature becomes the last. Each index is marked, negative ones counted from the end as in
Python; the action runs from start to end, and there is none where the end lies before the start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from datasets_me.export import auwgcn_csv
from datasets_me.export.labels import CHANNELS, LabelRow, Span, about, blank
from datasets_me.findings.finding import Finding
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation

Numbers = tuple[str, str, str]
"""Start, apex and end as in the CSV."""


def numbers(manifest: Manifest) -> dict[str, Numbers]:
    """The frame numbers of the published CSV by annotation id.

    Raises:
        MeDatasetsError: the field has no such CSV for this dataset.
    """
    rows = auwgcn_csv.rows(manifest)
    return {row.id: fields[2:5] for row, fields in zip(manifest.annotations, rows, strict=True)}  # type: ignore[misc]


def fps(manifest: Manifest) -> float:
    """The frame rate at which the published CSV counts.

    Raises:
        MeDatasetsError: the field has no such CSV for this dataset.
    """
    if manifest.spec.auwgcn_csv is None:
        next(auwgcn_csv.rows(manifest))
    assert manifest.spec.auwgcn_csv is not None
    return manifest.spec.auwgcn_csv.fps


def label_video(
    rows: Sequence[Annotation], texts: Mapping[str, Numbers], span: Span
) -> tuple[NDArray[np.int8], list[LabelRow], list[Finding]]:
    """The labels (count, 8) of one video, how each row is labelled, and findings about rows that are left out.

    Negative indices count from the end, as in the published scripts; `LabelRow` holds the frames they fall on.
    """
    out = np.zeros((span.count, len(CHANNELS)), np.int8)
    labels, findings = [], []
    for row in rows:
        label = blank(row, span)
        read = _read(texts[row.id], span.count)
        if isinstance(read, str):
            findings.append(about("ME503", read, row, "onset"))
        else:
            start, apex, end = read
            column = 0 if row.type == "micro" else 4
            for shift, index in enumerate(read):
                out[index, column + shift] = 1
            action = [index % span.count for index in range(start, end + 1)]
            out[action, column + 3] = 1
            _, apex_given, end_given = (float(text) != 0 for text in texts[row.id])
            label = label.model_copy(
                update={
                    "onset": span.start + start % span.count,
                    "apex": span.start + apex % span.count,
                    "offset": span.start + end % span.count,
                    "first": span.start + min(action) if action else None,
                    "last": span.start + max(action) if action else None,
                    "apex_from": "annotated" if apex_given else "middle",
                    "offset_from": "annotated" if end_given else "mirror",
                }
            )
        labels.append(label)
    return out, labels, findings


def difference(row: Annotation, published: LabelRow, corrected: LabelRow) -> Finding | None:
    """A finding where the published reading of a row differs from the corrected one."""
    corrected_text, published_text = _frames(corrected), _frames(published)
    if corrected_text == published_text:
        return None
    message = f"the published reading labels {published_text}; the corrected one {corrected_text}"
    return about("ME510", message, row, "onset", expected=corrected_text, found=published_text)


def _frames(label: LabelRow) -> str:
    marks = ", ".join(
        f"{name} {frame}"
        for name, frame in (("onset", label.onset), ("apex", label.apex), ("offset", label.offset))
        if frame is not None
    )
    action = "no action" if label.first is None else f"action {label.first} to {label.last}"
    return f"{marks}, {action}" if marks else "nothing"


def _read(texts: Numbers, count: int) -> tuple[int, int, int] | str:
    """Start, apex and end as indices, or the reason why the published scripts label nothing or would crash."""
    try:
        start, apex, end = (int(float(text)) for text in texts)
    except (ValueError, OverflowError):
        return f"the published scripts cannot read {', '.join(text or 'an empty cell' for text in texts)}"
    if (start, apex, end).count(0) >= 2:
        return "the published scripts leave out a row with two zeros"
    if apex >= count:
        return f"the published scripts leave out a row whose apex, {apex}, is not among {count} features"
    if end == 0:
        end = 2 * apex - start
    elif apex == 0:
        apex = (start + end) // 2
    end = min(end, count - 1)
    if apex >= count or start >= count or min(start, apex, end) < -count:
        return f"the published scripts would crash at {start}, {apex}, {end} with {count} features; left out"
    return start, apex, end
