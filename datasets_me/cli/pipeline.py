"""The steps of ``me-datasets prepare``, from the workbook to the card."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from datasets_me.cli.steps import Ledger, Outcome, Result, Step, run_steps
from datasets_me.convert.make_manifest import make_manifest
from datasets_me.core.artefact import write_file
from datasets_me.core.errors import SplitError, plural
from datasets_me.core.files import check_root
from datasets_me.core.tables import read_parquet, write_parquet
from datasets_me.export.clips import ClipOptions
from datasets_me.export.options import SegmentOptions
from datasets_me.export.statistics import graph as graphs
from datasets_me.export.statistics import region_tables, request
from datasets_me.findings import report as reports
from datasets_me.findings.choice import in_order
from datasets_me.findings.finding import Finding
from datasets_me.findings.summary import counted
from datasets_me.folders.check import check
from datasets_me.formats import features as feature_files
from datasets_me.formats import manifest as manifests
from datasets_me.formats import split as split_files
from datasets_me.formats.decisions import Decisions
from datasets_me.formats.manifest import Manifest
from datasets_me.schema.schema_files import Schema
from datasets_me.splits import make as splits
from datasets_me.splits.leaks import find_leaks

if TYPE_CHECKING:
    from datasets_me.extract.options import ExtractOptions

FINDINGS, REPORT = "findings.parquet", "report.html"

CLIP_FRAMES = "16"
"""Pictures of an expression: as many as recognisers with three-dimensional convolutions usually take."""

Progress = Callable[..., AbstractContextManager[Callable[..., None]]]
"""Begins to show the progress of something, with a unit of speed or none; gives ``update(done, total, note)``."""


@dataclass(frozen=True)
class Options:
    """What the user may choose of the whole work.

    Attributes:
        split: the protocol and its options.
        extraction: of the features; None for those by default.
        segments: of their export.
        clips: of the pictures; by default as many of each expression, so that they can be put into batches.
        decisions: applied to the annotations, where there are any.
        workers: processes of the extraction and of the export of clips.
    """

    split: splits.SplitOptions
    extraction: ExtractOptions | None = None
    segments: SegmentOptions = field(default_factory=SegmentOptions)
    clips: ClipOptions = field(default_factory=lambda: ClipOptions(frames=CLIP_FRAMES))
    decisions: Decisions | None = None
    workers: int = 1


def prepare(
    schema: Schema,
    source: str,
    root: Path | None,
    out: Path,
    options: Options,
    *,
    progress: Progress,
    ends: Callable[[Result], None],
) -> list[Result]:
    """Do everything that is not done yet, and write all findings to ``findings.parquet`` and ``report.html``.

    Args:
        schema: of the dataset.
        source: the workbook, or a folder to find it in.
        root: the folder of frames; without one, only what needs no frames is done.
        out: the folder to make, or to go on with.
        options: see `Options`.
        progress: begins to show the progress of something.
        ends: told of each step that has ended.

    Raises:
        MeDatasetsError: the workbook or the root cannot be read, the folder holds something else, or no split can be
            made as it is asked for. Nothing is written then. Any other step that fails is a result, and those that do
            not need it go on.
    """
    if options.split.protocol == "cross-dataset":
        raise SplitError(
            "cross-dataset needs two datasets, and prepare works on one",
            fix="prepare each dataset with another --protocol, then give both manifests to "
            "me-datasets split --protocol cross-dataset",
        )
    if root is not None:
        check_root(root)
    ledger = Ledger(out, {"dataset": schema.spec.id})
    started = time.perf_counter()
    with progress("folders") as update:
        manifest = make_manifest(
            schema,
            source,
            root,
            decisions=options.decisions,
            walking=lambda folders, files: update(folders, note=plural(files, "file")),
        )
    if len({annotation.subject for annotation in manifest.annotations}) > 1:
        # refused now, not after hours; of one subject there is no split at all, and the rest can be done
        splits.make([manifest], options.split)
    ledger.claim()
    manifests.write(manifest, out / "manifest", force=True)
    step = Step("convert", ["manifest"], (), {}, lambda _: Outcome(""), always=True)
    rows = manifest.counts()
    summary = f"{plural(rows['annotations'], 'annotation')} in {plural(rows['annotated_videos'], 'video')}"
    if options.decisions is not None:
        summary += f", {plural(len(manifest.options['decisions']), 'decision')} applied"
    findings = list(manifest.findings)
    first = Result(step, "done", summary, findings, time.perf_counter() - started)
    ends(first)

    def ended(result: Result) -> None:
        findings.extend(result.findings)
        ends(result)

    work = _Work(manifest, root, out, options, progress, findings)
    return [first, *run_steps(ledger, work.steps(), ended)]


@dataclass(frozen=True)
class _Work:
    """What all steps need, and the steps; ``findings`` are those of all steps that have ended."""

    manifest: Manifest
    root: Path | None
    out: Path
    options: Options
    progress: Progress
    findings: list[Finding]

    def steps(self) -> list[Step]:
        """The steps after the conversion, in order."""
        manifest = [
            self.out / "manifest" / name
            for name in ("annotations.parquet", "videos.parquet", "findings.parquet", "manifest.json")
        ]
        features, split = self.features / feature_files.TABLE, self.out / "split" / "splits.parquet"
        findings = self.out / FINDINGS
        frames = [] if self.root is None else self._steps_with_frames(self.root, manifest, features)
        return [
            *frames[:2],
            Step("split", ["split"], manifest, {"split": self.options.split}, self._split, uses=[features]),
            *frames[2:],
            Step("stats", ["stats.json"], manifest, {}, self._stats, uses=[features, split]),
            Step("graph", ["graph.npy", "graph.png"], manifest, {}, self._graph),
            Step("report", [FINDINGS, REPORT], manifest, {}, self._report, always=True),
            Step("card", ["card"], [*manifest, findings], {}, self._card, uses=[features]),
        ]

    def _steps_with_frames(self, root: Path, manifest: list[Path], features: Path) -> list[Step]:
        needed = [*manifest, features]
        segments, clips = self.options.segments, self.options.clips
        steps = [
            Step("check", [], manifest, {}, lambda _: self._check(root), always=True),
            Step("extract", ["features", "sheet.html"], manifest, {}, lambda _: self._extract(root), always=True),
            Step("segments", ["segments"], needed, segments.as_dict(), self._segments),
        ]
        if self.manifest.spec.auwgcn_csv and self._regions == "twelve":
            steps.append(Step("auwgcn", ["auwgcn"], needed, {"compat": segments.compat}, self._auwgcn))
        if any(row.emotion for row in self.manifest.annotations):
            steps.append(Step("clips", ["clips"], needed, asdict(clips), lambda _: self._clips(root)))
        return steps

    @property
    def features(self) -> Path:
        """The folder of features."""
        return self.out / "features"

    @property
    def _regions(self) -> str:
        return self.options.extraction.regions if self.options.extraction else "twelve"

    def _read_features(self) -> feature_files.FeatureFolder:
        return feature_files.read(self.features, self.manifest)

    def _check(self, root: Path) -> Outcome:
        checked = check(self.manifest, root)
        return Outcome(f"{plural(len(checked.inventory.folders), 'folder')} of frames", checked.findings)

    def _extract(self, root: Path) -> Outcome:
        from datasets_me.cards.contact_sheet import write_sheet
        from datasets_me.extract.extract import counts, extract
        from datasets_me.extract.options import ExtractOptions, usual_step

        options = self.options.extraction or ExtractOptions()
        step = usual_step(self.manifest, options.fps)
        done = 0
        with self.progress("frames", "frames/s") as update:

            def frames_done(count: int) -> None:
                nonlocal done
                done += count
                update(done)

            extraction = extract(
                self.manifest,
                root,
                self.features,
                options.model_copy(update={"step": step}),
                workers=self.options.workers,
                frames_done=frames_done,
            )
        write_sheet(self.manifest, root, self.features, extraction, self.out / "sheet.html")
        statuses = ", ".join(f"{count} {status}" for status, count in counts(extraction) if count)
        apart = f", pairs {step} frames apart" if step > 1 else ""
        return Outcome(f"{plural(len(extraction.rows), 'video')}: {statuses}{apart}", extraction.findings)

    def _split(self, usable: Collection[Path]) -> Outcome:
        split = splits.make([self.manifest], self.options.split)
        split_files.write(split, self.out / "split", force=True)
        features = [self.features] if usable else []
        leaks = find_leaks(split, [self.manifest], self.progress, features=features, may_be_empty=True)
        return Outcome(f"{plural(len(split.folds), 'fold')}, {split.protocol}", [*split.findings, *leaks.findings])

    def _segments(self, _: Collection[Path]) -> Outcome:
        from datasets_me.export.segments import write_segments

        with self.progress("videos") as update:
            exported = write_segments(
                self.manifest,
                self._read_features(),
                self.out / "segments",
                self.options.segments,
                force=True,
                progress=update,
            )
        labelled = f"{exported.labelled} of {plural(exported.annotations, 'annotation')} labelled"
        return Outcome(f"{plural(exported.segments, 'segment')}; {labelled}", exported.findings)

    def _auwgcn(self, _: Collection[Path]) -> Outcome:
        from datasets_me.export import auwgcn

        compat = self.options.segments.compat
        with self.progress("videos") as update:
            written = auwgcn.write(
                self.manifest,
                self._read_features(),
                self.out / "auwgcn",
                auwgcn.AuwgcnOptions(compat=compat),
                force=True,
                progress=update,
            )
        return Outcome(f"{plural(written.exported.segments, 'segment')} for {written.dataset}", written.findings)

    def _clips(self, root: Path) -> Outcome:
        from datasets_me.export.clips import write_clips

        with self.progress("expressions") as update:
            exported = write_clips(
                self.manifest,
                root,
                self.out / "clips",
                self.options.clips,
                features=self._read_features(),
                workers=self.options.workers,
                force=True,
                progress=update,
            )
        return Outcome(plural(exported.clips, "clip"), exported.findings)

    def _stats(self, usable: Collection[Path]) -> Outcome:
        both = len(usable) == 2
        features, split = (self.features, self.out / "split") if both else (None, None)
        statistics = request.measured(self.manifest, self.progress, features=features, split=split)
        write_file(self.out / "stats.json", (json.dumps(statistics, indent=2, ensure_ascii=False) + "\n").encode())
        folds = plural(len(statistics.get("channels", ())), "fold")
        return Outcome(f"lengths, and mean and std of channels in {folds}" if both else "lengths")

    def _graph(self, _: Collection[Path]) -> Outcome:
        from datasets_me.cards.graph_plot import draw

        table = region_tables.load("twelve")
        graph = graphs.graph(self.manifest.annotations, table)
        graphs.write(graph, self.out / "graph.npy")
        title = f"{self.manifest.spec.title}: regions that move together"
        draw(graph.matrix, table.regions, title, self.out / "graph.png")
        return Outcome(
            f"{graph.used} of {plural(len(self.manifest.annotations), 'annotation')} have units of the table"
        )

    def _report(self, _: Collection[Path]) -> Outcome:
        findings = in_order(self.findings)
        title = f"{self.manifest.spec.title}: everything that was found"
        about = {"dataset": self.manifest.spec.id, "annotations": len(self.manifest.annotations)}
        write_parquet(Finding, findings, self.out / FINDINGS)
        write_file(self.out / REPORT, reports.to_html(findings, title, about).encode())
        return Outcome(counted(findings))

    def _card(self, usable: Collection[Path]) -> Outcome:
        from datasets_me.cards import card as cards
        from datasets_me.cards import write as card_files

        findings = read_parquet(Finding, self.out / FINDINGS)
        card = cards.make(self.out / "manifest", self.features if usable else None, findings)
        return Outcome(plural(len(card_files.write(card, self.out / "card", force=True)), "file"))


def to_do(results: Sequence[Result], most: int = 8) -> list[tuple[str, int, Finding]]:
    """What to act on: codes of errors, then of warnings, each with its count and its first finding."""
    by_code: dict[str, list[Finding]] = {}
    for result in results:
        for finding in result.findings:
            if finding.severity != "info":
                by_code.setdefault(finding.code, []).append(finding)
    ranked = sorted(by_code.items(), key=lambda item: (item[1][0].severity != "error", -len(item[1]), item[0]))
    return [(code, len(findings), findings[0]) for code, findings in ranked[:most]]
