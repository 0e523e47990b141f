"""Clips that are copies of each other, by their features."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from datasets_me.core.rates import moved, ratio
from datasets_me.findings.finding import Finding
from datasets_me.formats.features import FeatureFolder
from datasets_me.formats.records import Annotation, VideoFeatures
from datasets_me.splits.check import SplitContext
from datasets_me.splits.clips import Clip, alike, clips, leaks
from datasets_me.splits.items import SplitItem

LEAST_CORRELATION = 0.999
"""The correlation of the features of two clips, brought to the same length, from which one counts as a copy. Short
clips of different synthetic subjects (6 to 13 frames, one movement each) reach 0.9987."""

LEAST_OF_LONG = 0.998
"""The same for clips of at least 20 frames: different synthetic ones reach 0.9911 when shifted against each other;
copies with added noise of sigma 0.005, where the features have a sigma of 0.11, have 0.9994 in the median."""

MOST_SHIFT = 3
"""Frames by which two clips are shifted against each other, at most a quarter of a clip."""

_LONG = 20  # frames
_POINTS = 32  # in time, of a fingerprint


def check_features(
    context: SplitContext,
    features: Sequence[tuple[str, FeatureFolder]],
    progress: Callable[[int, int], None] | None = None,
) -> tuple[list[Finding], int]:
    """Findings (ME525) about clips on both sides of a fold, and how many clips were compared.

    Clips without features, and those in which nothing moves, are not compared.

    Args:
        context: the split and its manifests.
        features: for each dataset its id and its folder of features.
        progress: called with clips done and clips in all.

    Raises:
        FeaturesError: an array cannot be used.
    """
    work = [(clip, folder) for dataset, folder in features for clip in clips(context, dataset)]
    rows = {id(folder): _by_video(folder) for _, folder in features}
    compared: list[Clip] = []
    lengths: list[int] = []
    prints: list[NDArray[np.float32]] = []
    for done, (clip, folder) in enumerate(work, start=1):
        for row in rows[id(folder)].get(clip.item.video, ()):
            feature = _cut(folder.load(row), row, clip.annotation) if _is_of(row, clip) else None
            print_of = fingerprints(feature) if feature is not None else None
            if feature is not None and print_of is not None:
                compared.append(clip)
                lengths.append(len(feature))
                prints.append(print_of)
        if progress:
            progress(done, len(work))
    findings: list[Finding] = []
    reported: set[tuple[SplitItem, SplitItem]] = set()
    for size in sorted(
        {print_of.shape[1] for print_of in prints}
    ):  # features of other regions are not compared with these
        indices = [index for index, print_of in enumerate(prints) if print_of.shape[1] == size]
        shifted = np.stack([prints[index] for index in indices], axis=1)
        pairs = _pairs([compared[index] for index in indices], [lengths[index] for index in indices], shifted)
        findings += leaks(context, "ME525", pairs, reported)
    return findings, len(compared)


def fingerprint(feature: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Features (n, R, 2) at 32 points in time, without their mean, scaled to norm 1: (32 * R * 2,) float32.

    The product of two fingerprints is their correlation. None where there are fewer than 2 frames, or all are equal.
    """
    if len(feature) < 2:
        return None
    values = np.nan_to_num(feature, nan=0.0, posinf=0.0, neginf=0.0).astype(np.float64).reshape(len(feature), -1)
    edges = np.linspace(0, len(values), _POINTS + 1)
    total = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    below = np.minimum(np.floor(edges).astype(int), len(values) - 1)
    at_edges = total[below] + (edges - below)[:, None] * values[below]
    course = np.diff(at_edges, axis=0)
    course -= course.mean(axis=0)
    norm = np.linalg.norm(course)
    if norm <= 1e-9 * max(1.0, float(np.abs(values).max())):
        return None
    return np.asarray(course / norm, np.float32).ravel()


def fingerprints(feature: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """The fingerprint of a whole clip, then without its first 1 to 3 frames, then without its last: (7, 32 * R * 2).

    Where a clip is too short for that, or does not move in the rest, its whole fingerprint is repeated. None where
    there is none.
    """
    whole = fingerprint(feature)
    if whole is None:
        return None
    prints = [whole]
    for cut in (*range(1, MOST_SHIFT + 1), *range(-1, -MOST_SHIFT - 1, -1)):
        rest = None if abs(cut) > len(feature) // 4 else fingerprint(feature[max(0, cut) : len(feature) + min(0, cut)])
        prints.append(whole if rest is None else rest)
    return np.stack(prints)


def _pairs(
    compared: Sequence[Clip], lengths: Sequence[int], prints: NDArray[np.float32]
) -> Iterator[tuple[Clip, Clip, str]]:
    """Pairs of clips that are alike: uncut, with one of them cut, or one cut in front and the other at its end."""
    best: dict[tuple[int, int], float] = {}
    cuts = range(1, len(prints))
    shifts = [(cut, (cut - 1 + MOST_SHIFT) % (2 * MOST_SHIFT) + 1) for cut in cuts]
    for first_cut, second_cut in [(0, 0), *((0, cut) for cut in cuts), *((cut, 0) for cut in cuts), *shifts]:
        for first, second, correlation in alike(prints[first_cut], LEAST_OF_LONG, prints[second_cut]):
            best[first, second] = max(correlation, best.get((first, second), -1))
    for (first, second), correlation in sorted(best.items()):
        if min(lengths[first], lengths[second]) >= _LONG or correlation >= LEAST_CORRELATION:
            yield compared[first], compared[second], f"their features correlate by {min(correlation, 1):.4f}"


def _by_video(folder: FeatureFolder) -> dict[str, list[VideoFeatures]]:
    by_video: dict[str, list[VideoFeatures]] = {}
    for row in folder.rows:
        if row.features is not None:
            by_video.setdefault(row.video, []).append(row)
    return by_video


def _is_of(row: VideoFeatures, clip: Clip) -> bool:
    """Whether an array holds this clip: that of the whole video, or of the clip's own expression."""
    if row.expression is None:
        return True
    return clip.annotation is not None and row.expression == clip.annotation.expression


def _cut(feature: NDArray[np.float32], row: VideoFeatures, annotation: Annotation | None) -> NDArray[np.float32]:
    """The features from onset to offset, or to the apex where no offset is annotated."""
    if annotation is None or row.expression is not None:
        return feature
    last = annotation.offset if annotation.offset is not None else annotation.apex
    if annotation.onset is None or last is None:
        return feature[:0]
    step = ratio(annotation.fps, row.fps)
    first, end = (moved(frame, step) - row.start for frame in (annotation.onset, last))
    return feature[max(0, first) : max(0, end)]
