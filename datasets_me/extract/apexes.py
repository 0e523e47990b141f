"""``me-datasets apex``: estimated apexes for the annotations that have none, from the features of their videos."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from datasets_me.core.errors import FeaturesError
from datasets_me.core.rates import moved, ratio
from datasets_me.features.apex import estimate_apex
from datasets_me.formats.apexes import EstimatedApex
from datasets_me.formats.features import FeatureFolder
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation, VideoFeatures


def estimate(manifest: Manifest, features: FeatureFolder) -> Iterator[EstimatedApex]:
    """The apex of each annotation that has onset and offset, but no apex, where there are features of it.

    An annotated apex is never estimated.

    Raises:
        FeaturesError: the motion of the features is not from one frame to the next.
    """
    by_video: dict[tuple[str, str | None], VideoFeatures] = {}
    for row in features.rows:
        if row.features is not None:
            by_video.setdefault((row.video, row.expression), row)
    for annotation in manifest.annotations:
        source = by_video.get((annotation.video, annotation.expression)) or by_video.get((annotation.video, None))
        if annotation.apex is None and source is not None:
            estimated = _of(annotation, source, features)
            if estimated is not None:
                yield estimated


def _of(row: Annotation, source: VideoFeatures, features: FeatureFolder) -> EstimatedApex | None:
    if row.onset is None or row.offset is None or row.offset <= row.onset:
        return None
    if source.step != 1:
        raise FeaturesError(
            f"motion over {source.step} frames cannot be added up from frame to frame",
            where=str(features.folder),
            fix="extract with --step 1",
        )
    step = ratio(row.fps, source.fps)
    first, last = moved(row.onset, step) - source.start, moved(row.offset, step) - source.start
    if first < 0:
        return None
    apex = estimate_apex(np.asarray(features.load(source)[first:last], np.float64))
    if apex is None:
        return None
    return EstimatedApex(
        annotation=row.id,
        subject=row.subject,
        video=row.video,
        onset=row.onset,
        apex=min(max(moved(first + source.start + apex.frame, 1 / step), row.onset), row.offset),
        offset=row.offset,
        confidence=round(apex.confidence, 4),
    )
