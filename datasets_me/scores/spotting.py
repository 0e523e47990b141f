"""How well expressions were spotted in long videos.

As defined for the spotting tasks of MEGC 2020 (Li, Wang, Yap, See, Hong, Li: MEGC2020 – The Third Facial
Micro-Expression Grand Challenge, FG 2020) and MEGC 2021, which kept it: a spotted interval is a true positive if its
intersection with an annotated interval is at least half of their union, IoU = |S ∩ G| / |S ∪ G| >= 0.5. True positives,
spotted and annotated intervals are summed over all videos; then precision = TP / spotted, recall = TP / annotated and
F1 = 2 TP / (spotted + annotated). "Overall" sums the counts of micro and macro.

Intervals include both ends, so onset 10 to offset 12 is three frames. An annotation counts at most once, and so does a
spotted interval: as many pairs are formed as possible.

Where intervals have scores, the average precision is the area under precision over recall, with precision made
non-increasing (Everingham et al.: The PASCAL Visual Object Classes Challenge, IJCV 2010), pooled over videos; the
mean over IoU 0.5, 0.55, …, 0.95 is that of COCO (Lin et al., ECCV 2014). Here each spotted interval, the best scored
first, takes the annotation with the highest IoU that is left. Intervals without a score come last.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from statistics import fmean, median
from typing import NamedTuple

import numpy as np

from datasets_me.core.choices import EmotionLabel, ExpressionType
from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.tables import Record
from datasets_me.core.text import fold
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats import intervals as interval_files
from datasets_me.formats.frame_files import frame_rate, known_span
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.missing_offset import check_rule, read_offset
from datasets_me.formats.predictions import Predictions
from datasets_me.formats.records import Annotation, Video
from datasets_me.schema.spec import Spec
from datasets_me.scores.truth import OfSplit, all_annotations, without
from datasets_me.scores.video_names import VideoNames

IOU = 0.5
IOUS = tuple(n / 100 for n in range(50, 100, 5))
"""The thresholds over which COCO averages."""

TYPES = ("micro", "macro")


class Spot(NamedTuple):
    """An interval of frames, both ends included, with what else is known: its apex, score and label."""

    onset: int
    offset: int
    apex: int | None = None
    score: float | None = None
    label: str | None = None


Interval = Spot | tuple[int, int]
_Key = tuple[str, str, str]  # dataset, video, type


class VideoCounts(Record):
    """One video and one type (``overall`` where the predictions have none): pairs formed, and intervals left over."""

    dataset: str
    subject: str | None
    video: str
    type: str
    tp: int
    fp: int
    fn: int


@dataclass(frozen=True)
class Compared:
    """The intervals of one video and one type, and the ``pairs`` (spotted, annotated) formed of them.

    ``fps`` is the rate of the frames.
    """

    counts: VideoCounts
    fps: float
    spotted: tuple[Spot, ...]
    annotated: tuple[Spot, ...]
    pairs: tuple[tuple[int, int], ...]

    def hits(self) -> Iterator[tuple[Spot, Spot]]:
        """The pairs' intervals, spotted and annotated."""
        return ((self.spotted[i], self.annotated[j]) for i, j in self.pairs)


@dataclass(frozen=True)
class Error:
    """How far the frames of hits are from the annotated ones: number, means and medians of the absolute differences."""

    count: int
    frames: float
    frames_median: float
    ms: float
    ms_median: float


@dataclass(frozen=True)
class Counts:
    """Sums of counts, and the scores computed from them; 0 where there is nothing to divide by."""

    tp: int = 0
    fp: int = 0
    fn: int = 0

    @property
    def precision(self) -> float:
        """TP over what was spotted."""
        return self.tp / (self.tp + self.fp) if self.tp + self.fp else 0.0

    @property
    def recall(self) -> float:
        """TP over what is annotated."""
        return self.tp / (self.tp + self.fn) if self.tp + self.fn else 0.0

    @property
    def f1(self) -> float:
        """2 TP over what was spotted and what is annotated."""
        return 2 * self.tp / (2 * self.tp + self.fp + self.fn) if self.tp else 0.0


@dataclass(frozen=True)
class Spotting:
    """Scores by video and type.

    ``dropped`` counts annotations that are left out because their onset or offset is unknown; ``missing`` is the rule
    for missing offsets, ``threshold`` the least IoU of a pair.
    """

    compared: list[Compared]
    dropped: int
    missing: str
    threshold: float
    findings: list[Finding]

    @property
    def videos(self) -> list[VideoCounts]:
        """The counts of every video and type."""
        return [each.counts for each in self.compared]

    @property
    def kinds(self) -> tuple[str, ...]:
        """``micro``, ``macro`` and ``overall``; ``overall`` alone where the predictions have no types."""
        return ("overall",) if {row.type for row in self.videos} <= {"overall"} else (*TYPES, "overall")

    def chosen(self, kind: str = "overall", dataset: str | None = None) -> list[Compared]:
        """What was compared of one type, or of all; of one dataset, or of all."""
        return [
            each
            for each in self.compared
            if (kind == "overall" or each.counts.type == kind) and (dataset is None or each.counts.dataset == dataset)
        ]

    def counts(self, kind: str = "overall", dataset: str | None = None, *, annotated_only: bool = False) -> Counts:
        """The sums over videos; with ``annotated_only`` over those in which any expression is annotated."""
        with_annotations = {_video(each) for each in self.compared if each.annotated}
        rows = [
            each.counts for each in self.chosen(kind, dataset) if not annotated_only or _video(each) in with_annotations
        ]
        return Counts(*(sum(getattr(row, name) for row in rows) for name in ("tp", "fp", "fn")))

    def average_precision(self, kind: str = "overall", dataset: str | None = None) -> dict[float, float] | None:
        """Average precision by IoU threshold; overall, the mean of the annotated types.

        None where no interval has a score, or nothing is annotated.
        """
        if kind == "overall" and self.kinds != ("overall",):
            by_type = [values for name in TYPES if (values := self.average_precision(name, dataset)) is not None]
            return {limit: fmean(values[limit] for values in by_type) for limit in IOUS} if by_type else None
        chosen = self.chosen(kind, dataset)
        if not any(each.annotated for each in chosen) or not self.scored:
            return None
        return {limit: average_precision(chosen, limit) for limit in IOUS}

    @property
    def scored(self) -> bool:
        """Whether a spotted interval has a score, or nothing was spotted."""
        scores = [spot.score for each in self.compared for spot in each.spotted]
        return not scores or any(score is not None for score in scores)

    def errors(self, kind: str = "overall", dataset: str | None = None) -> dict[str, Error]:
        """The errors of onsets, apexes and offsets of hits, as far as both are known."""
        differences: dict[str, list[tuple[int, float]]] = {"onset": [], "apex": [], "offset": []}
        for each in self.chosen(kind, dataset):
            for spot, truth in each.hits():
                for name, values in differences.items():
                    frame, wanted = getattr(spot, name), getattr(truth, name)
                    if frame is not None and wanted is not None:
                        values.append((abs(frame - wanted), 1000 * abs(frame - wanted) / each.fps))
        return {name: _error(values) for name, values in differences.items() if values}


def _video(each: Compared) -> tuple[str, str]:
    return each.counts.dataset, each.counts.video


def _error(differences: Sequence[tuple[int, float]]) -> Error:
    frames, ms = ([pair[i] for pair in differences] for i in (0, 1))
    return Error(len(differences), fmean(frames), median(frames), fmean(ms), median(ms))


def average_precision(compared: Sequence[Compared], threshold: float) -> float:
    """The average precision of the spotted intervals of one type in all videos, at one threshold of the IoU."""
    ranked = sorted(
        ((_rank(spot), at, spot) for at, each in enumerate(compared) for spot in each.spotted),
        key=lambda entry: entry[0],
    )
    left = [dict(enumerate(each.annotated)) for each in compared]
    annotations = sum(map(len, left))
    hits, points = 0, list[tuple[int, float]]()
    for number, (_, at, spot) in enumerate(ranked, start=1):
        best = max(left[at], key=lambda j: iou(spot, left[at][j]), default=None)
        if best is not None and iou(spot, left[at][best]) >= threshold:
            del left[at][best]
            hits += 1
        points.append((hits, hits / number))
    highest = np.maximum.accumulate([precision for _, precision in reversed(points)])[::-1]
    gained = np.diff([0, *(hits for hits, _ in points)])
    return float(highest @ gained) / annotations if annotations else 0.0


def _rank(spot: Spot) -> float:
    """What intervals are sorted by: the highest score first, those without one last."""
    return inf if spot.score is None else -spot.score


def iou(a: Interval, b: Interval) -> float:
    """Intersection over union of two intervals of frames, both ends included."""
    shared = max(0, min(a[1], b[1]) - max(a[0], b[0]) + 1)
    return shared / (a[1] - a[0] + 1 + b[1] - b[0] + 1 - shared)


def pairs(spotted: Sequence[Interval], annotated: Sequence[Interval], threshold: float = IOU) -> list[tuple[int, int]]:
    """The most pairs of a spotted and an annotated interval whose IoU reaches the threshold, each used once.

    A maximum matching of the bipartite graph by augmenting paths, so the count does not depend on the order. With a
    threshold above 0.5 and annotations that do not overlap, each has at most one possible partner.
    """
    partners = [[j for j, other in enumerate(annotated) if iou(one, other) >= threshold] for one in spotted]
    taken: dict[int, int] = {}

    def pair(i: int, tried: set[int]) -> bool:
        for j in partners[i]:
            if j not in tried:
                tried.add(j)
                if j not in taken or pair(taken[j], tried):
                    taken[j] = i
                    return True
        return False

    for i in range(len(spotted)):
        pair(i, set())
    return sorted((i, j) for j, i in taken.items())


def spotting(
    manifests: Sequence[Manifest],
    files: Sequence[Predictions],
    *,
    missing: str = "mirror",
    threshold: float = IOU,
    tested: OfSplit | None = None,
    kind: ExpressionType | None = None,
    label: EmotionLabel | None = None,
) -> Spotting:
    """Score spotted intervals against annotations.

    Args:
        manifests: the annotations.
        files: the intervals.
        missing: how a missing offset is read.
        threshold: the least IoU of a pair.
        tested: only in the videos that a split tests.
        kind: only annotations, and intervals, of this type; intervals without a type are all of it.
        label: the label that annotated intervals get.

    Raises:
        MeDatasetsError: the predictions have a type in some rows only, or an argument cannot be used.
    """
    check_rule(missing)
    rows = all_annotations(manifests)
    listed = [row for manifest in manifests for row in manifest.videos]  # those without annotations, too
    every: list[Annotation | Video] = [*listed, *reversed(rows)]
    videos = list({(row.dataset, row.video): row for row in every}.values())
    typed, spotted, findings = _spotted(files, manifests, videos)
    if kind is not None:
        rows = [row for row in rows if row.type == kind]
        spotted = {key: spots for key, spots in spotted.items() if key[2] in (kind, "overall")}
    if tested is not None:
        rows, videos = [row for row in rows if tested.video(row)], [row for row in videos if tested.video(row)]
    annotated, more = _annotated(rows, missing, typed=typed, label=label)
    findings += more
    touched = {key[:2] for key in spotted}
    first = {(row.dataset, row.video): row for row in reversed(rows)}
    compared = []
    for video in sorted(videos, key=lambda row: (row.dataset, row.subject or "", row.video)):
        row = first.get((video.dataset, video.video))
        if row and (video.dataset, video.video) not in touched:
            findings.append(without(row, "ME548", f"nothing was spotted in {video.video}"))
        for each in TYPES if typed else ("overall",):
            key = (video.dataset, video.video, each)
            intervals, wanted = spotted.get(key, []), annotated.get(key, [])
            if intervals or wanted:
                hits = pairs(intervals, wanted, threshold)
                counts = VideoCounts(
                    dataset=video.dataset,
                    subject=video.subject,
                    video=video.video,
                    type=each,
                    tp=len(hits),
                    fp=len(intervals) - len(hits),
                    fn=len(wanted) - len(hits),
                )
                compared.append(Compared(counts, video.fps, tuple(intervals), tuple(wanted), tuple(hits)))
    dropped = sum(finding.code == "ME545" for finding in more)
    return Spotting(compared, dropped, missing, threshold, findings)


def _annotated(
    rows: Sequence[Annotation], missing: str, *, typed: bool, label: EmotionLabel | None
) -> tuple[dict[_Key, list[Spot]], list[Finding]]:
    """The annotated intervals of each video and type; findings about offsets that are missing or cannot be."""
    annotated: dict[_Key, list[Spot]] = defaultdict(list)
    findings = []
    for row in rows:
        reading = read_offset(row, missing)
        last = reading[0] if reading else None
        if row.onset is None or last is None or last < row.onset:
            lack = "no onset" if row.onset is None else "no offset" if last is None else "an offset before its onset"
            findings.append(without(row, "ME545", f"{row.id} has {lack}; it is not scored"))
            continue
        if row.offset is None:
            findings.append(without(row, "ME547", f"{row.id} has no offset; read as {last} ({missing})"))
        spot = Spot(row.onset, last, row.apex, None, getattr(row, label) if label else None)
        annotated[row.dataset, row.video, row.type if typed else "overall"].append(spot)
    return annotated, findings


def _spotted(
    files: Sequence[Predictions], manifests: Sequence[Manifest], videos: Sequence[Annotation | Video]
) -> tuple[bool, dict[_Key, list[Spot]], list[Finding]]:
    """Whether predictions have types; the intervals of each video and type; findings about rows left out."""
    names, findings = VideoNames(manifests, videos), list[Finding]()
    specs = {manifest.spec.id: manifest.spec for manifest in manifests}
    typed, scored = _have_types(files), any("score" in file.columns for file in files)
    spans = _spans(manifests)
    intervals: dict[_Key, list[Spot]] = defaultdict(list)
    seen: set[tuple[_Key, tuple[int, ...]]] = set()
    for file in files:
        for number, cells in enumerate(file.rows):
            place, keys = file.place(number), file.keys(number)
            fits = [videos[position] for position in names.find(keys)]
            if len(fits) != 1:
                named = ", ".join(f"{name} {keys[name]}" for name in ("dataset", "subject", "video") if name in keys)
                code, message = ("ME541", f"{len(fits)} videos have") if fits else ("ME540", "no video has")
                findings.append(finding(code, f"{message} {named or 'an empty name'}", place=place))
                continue
            spot, kind = _spot(file, number, specs[fits[0].dataset], fits[0].fps), _kind(cells)
            if spot is None or kind not in (*TYPES, "overall"):
                cell_texts = f"onset '{cells['onset']}', offset '{cells['offset']}', type '{cells.get('type', '')}'"
                message = f"not an interval of frames: {cell_texts}; it is left out"
                findings.append(finding("ME546", message, place=place, video=fits[0].video))
                continue
            key = (fits[0].dataset, fits[0].video, kind)
            if (key, spot[:2]) in seen:
                message = (
                    f"{fits[0].video} {spot.onset} to {spot.offset} was predicted before; this one counts as wrong"
                )
                findings.append(finding("ME542", message, place=place, video=fits[0].video))
            seen.add((key, spot[:2]))
            intervals[key].append(spot)
            doubts = [*_outside(spot, spans.get(key[:2])), *(_unscored(spot, cells) if scored else [])]
            findings += [
                finding(code, f"{fits[0].video} {spot.onset} to {spot.offset} {text}", place=place, video=fits[0].video)
                for code, text in doubts
            ]
    return typed, intervals, findings


def _spans(manifests: Sequence[Manifest]) -> dict[tuple[str, str], tuple[int, int]]:
    """The first frame of each whole video and the last plus one, where its files are counted as annotations are."""
    spans: dict[tuple[str, str], tuple[int, int]] = {}
    for manifest in manifests:
        for video in manifest.videos:
            start, end = known_span(manifest, video)
            if video.expression is None and start < end and frame_rate(manifest, video) == video.fps:
                before = spans.get((video.dataset, video.video), (start, end))
                spans[video.dataset, video.video] = min(start, before[0]), max(end, before[1])
    return spans


def _outside(spot: Spot, span: tuple[int, int] | None) -> Iterator[tuple[str, str]]:
    """Code and message, where most of an interval, or all of it, lies outside of the video.

    Of a video whose frames are not known, nothing is said but of what lies before frame 0.
    """
    start, end = span or (0, max(spot.offset + 1, 1))
    inside = min(spot.offset + 1, end) - max(spot.onset, start)
    frames = f"frames {start} to {end - 1}" if span else "which begins with frame 0"
    if inside <= 0:
        yield "ME551", f"lies outside the video, {frames}; it counts as wrong"
    elif 2 * inside < spot.offset + 1 - spot.onset:
        yield "ME551", f"lies mostly outside the video, {frames}"


def _unscored(spot: Spot, cells: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Code and message, where an interval has no score and others may have one."""
    if spot.score is None:
        written = cells.get("score", "")
        reason = f"has the score '{written}', which is not a finite number" if written else "has no score"
        yield "ME550", f"{reason}; average precision ranks it last"


def _have_types(files: Sequence[Predictions]) -> bool:
    typed = [(bool(row.get("type")), file.place(number)) for file in files for number, row in enumerate(file.rows)]
    if not typed:  # nothing was spotted in any file; the header shows whether there would be types
        return any("type" in file.columns for file in files)
    without_type = [place for has_type, place in typed if not has_type]
    if 0 < len(without_type) < len(typed):
        raise MeDatasetsError(
            "some predictions have a type and some do not",
            where=str(without_type[0]),
            fix="give every one micro or macro, or leave the column out",
        )
    return not without_type


def _kind(cells: dict[str, str]) -> str:
    kind = fold(cells.get("type", "")) or "overall"
    return next((name for name in TYPES if kind.startswith(name)), kind)


def _spot(file: Predictions, number: int, spec: Spec, fps: float) -> Spot | None:
    """A predicted interval in frames of the manifest; None where the cells are no interval."""
    cells = file.rows[number]
    onset, offset = (_number(cells[name]) for name in ("onset", "offset"))
    if onset is None or offset is None or offset < onset:
        return None
    apex = _number(cells.get("apex", ""))
    return Spot(
        interval_files.first_frame(onset, file.counting, spec, fps),
        interval_files.last_frame(offset, file.counting, spec, fps),
        None if apex is None else interval_files.first_frame(apex, file.counting, spec, fps),
        _score(cells.get("score", "")),
        cells.get("label") or None,
    )


def _number(text: str) -> int | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return int(value) if value.is_integer() else None


def _score(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) else None
