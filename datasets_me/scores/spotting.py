"""How well expressions were spotted in long videos.

As defined for the spotting tasks of MEGC 2020 (Li, Wang, Yap, See, Hong, Li: MEGC2020 – The Third Facial
Micro-Expression Grand Challenge, FG 2020) and MEGC 2021, which kept it: a spotted interval is a true positive if its
intersection with an annotated interval is at least half of their union, IoU = |S ∩ G| / |S ∪ G| >= 0.5. True positives,
spotted and annotated intervals are summed over all videos; then precision = TP / spotted, recall = TP / annotated and
F1 = 2 TP / (spotted + annotated). "Overall" sums the counts of micro and macro.

Intervals include both ends, so onset 10 to offset 12 is three frames. An annotation counts at most once, and so does a
spotted interval: as many pairs are formed as possible.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.tables import Record
from datasets_me.core.text import fold
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.missing_offset import check_rule, read_offset
from datasets_me.formats.predictions import Predictions
from datasets_me.formats.records import Annotation, Video
from datasets_me.scores.truth import Index, OfSplit, all_annotations, without

IOU = 0.5
TYPES = ("micro", "macro")
Interval = tuple[int, int]
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
    spotted: tuple[Interval, ...]
    annotated: tuple[Interval, ...]
    pairs: tuple[tuple[int, int], ...]


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

    def counts(self, kind: str = "overall", dataset: str | None = None) -> Counts:
        """The sums over videos of one type, or of all; of one dataset, or of all."""
        chosen = [
            row
            for row in self.videos
            if (kind == "overall" or row.type == kind) and (dataset is None or row.dataset == dataset)
        ]
        return Counts(*(sum(getattr(row, name) for row in chosen) for name in ("tp", "fp", "fn")))


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
) -> Spotting:
    """Score spotted intervals against annotations; with ``tested`` only in the videos that a split tests.

    Raises:
        MeDatasetsError: the predictions have a type in some rows only, or an argument cannot be used.
    """
    check_rule(missing)
    rows = all_annotations(manifests)
    listed = [row for manifest in manifests for row in manifest.videos]  # those without annotations, too
    every: list[Annotation | Video] = [*listed, *reversed(rows)]
    videos = list({(row.dataset, row.video): row for row in every}.values())
    typed, spotted, findings = _spotted(files, videos)
    if tested is not None:
        rows, videos = [row for row in rows if tested.video(row)], [row for row in videos if tested.video(row)]
    annotated, more = _annotated(rows, missing, typed=typed)
    findings += more
    touched = {key[:2] for key in spotted}
    compared = []
    for video in sorted(videos, key=lambda row: (row.dataset, row.subject or "", row.video)):
        if isinstance(video, Annotation) and (video.dataset, video.video) not in touched:
            findings.append(without(video, "ME548", f"nothing was spotted in {video.video}"))
        for kind in TYPES if typed else ("overall",):
            key = (video.dataset, video.video, kind)
            intervals, wanted = spotted.get(key, []), annotated.get(key, [])
            if intervals or wanted:
                hits = pairs(intervals, wanted, threshold)
                counts = VideoCounts(
                    dataset=video.dataset,
                    subject=video.subject,
                    video=video.video,
                    type=kind,
                    tp=len(hits),
                    fp=len(intervals) - len(hits),
                    fn=len(wanted) - len(hits),
                )
                compared.append(Compared(counts, video.fps, tuple(intervals), tuple(wanted), tuple(hits)))
    dropped = sum(finding.code == "ME545" for finding in more)
    return Spotting(compared, dropped, missing, threshold, findings)


def _annotated(
    rows: Sequence[Annotation], missing: str, *, typed: bool
) -> tuple[dict[_Key, list[Interval]], list[Finding]]:
    """The annotated intervals of each video and type; findings about offsets that are missing or cannot be."""
    annotated: dict[_Key, list[Interval]] = defaultdict(list)
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
        annotated[row.dataset, row.video, row.type if typed else "overall"].append((row.onset, last))
    return annotated, findings


def _spotted(
    files: Sequence[Predictions], videos: Sequence[Annotation | Video]
) -> tuple[bool, dict[_Key, list[Interval]], list[Finding]]:
    """Whether predictions have types; the intervals of each video and type; findings about rows left out."""
    index, findings = Index(videos), list[Finding]()
    typed = [(bool(row.get("type")), file.place(number)) for file in files for number, row in enumerate(file.rows)]
    if not typed:  # nothing was spotted in any file; the header shows whether there would be types
        return any("type" in file.columns for file in files), {}, []
    without = [place for has_type, place in typed if not has_type]
    if 0 < len(without) < len(typed):
        raise MeDatasetsError(
            "some predictions have a type and some do not",
            where=str(without[0]),
            fix="give every one micro or macro, or leave the column out",
        )
    intervals: dict[_Key, list[Interval]] = defaultdict(list)
    for file in files:
        for number, cells in enumerate(file.rows):
            place, keys = file.place(number), file.keys(number)
            named: dict[str, str] = {name: keys[name] for name in ("dataset", "subject", "video") if name in keys}
            fits = [videos[position] for position in index.find(named)]
            if len(fits) != 1:
                names = ", ".join(f"{name} {value}" for name, value in named.items()) or "an empty name"
                code, message = ("ME541", f"{len(fits)} videos have") if fits else ("ME540", "no video has")
                findings.append(finding(code, f"{message} {names}", place=place))
                continue
            onset, offset = (_frame(cells[name]) for name in ("onset", "offset"))
            kind = fold(cells.get("type", "")) or "overall"
            kind = next((name for name in TYPES if kind.startswith(name)), kind)
            if onset is None or offset is None or offset < onset or kind not in (*TYPES, "overall"):
                cell_texts = f"onset '{cells['onset']}', offset '{cells['offset']}', type '{cells.get('type', '')}'"
                message = f"not an interval of frames: {cell_texts}; it is left out"
                findings.append(finding("ME546", message, place=place, video=fits[0].video))
                continue
            chosen = intervals[fits[0].dataset, fits[0].video, kind]
            if (onset, offset) in chosen:
                message = f"{fits[0].video} {onset} to {offset} was predicted before; this one counts as wrong"
                findings.append(finding("ME542", message, place=place, video=fits[0].video))
            chosen.append((onset, offset))
    return not without, intervals, findings


def _frame(text: str) -> int | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return int(value) if value.is_integer() and value >= 0 else None
