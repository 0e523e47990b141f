"""The steps of ``me-datasets prepare``, from the workbook to the card."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datasets_me.cards import card as cards
from datasets_me.cards import write as card_files
from datasets_me.cards.contact_sheet import write_sheet
from datasets_me.cards.graph_plot import draw
from datasets_me.cli.steps import Ledger, Outcome, Result, Step, run_steps
from datasets_me.convert.make_manifest import make_manifest
from datasets_me.core.artefact import write_file
from datasets_me.core.errors import FolderError, SplitError, plural
from datasets_me.export import auwgcn
from datasets_me.export.clips import ClipOptions, write_clips
from datasets_me.export.options import SegmentOptions
from datasets_me.export.segments import write_segments
from datasets_me.export.statistics import graph as graphs
from datasets_me.export.statistics import region_tables, request
from datasets_me.extract.extract import counts, extract
from datasets_me.extract.options import ExtractOptions
from datasets_me.findings import report as reports
from datasets_me.findings.choice import in_order
from datasets_me.findings.finding import Finding
from datasets_me.folders.check import check
from datasets_me.formats import features as feature_files
from datasets_me.formats import manifest as manifests
from datasets_me.formats import split as split_files
from datasets_me.formats.manifest import Manifest
from datasets_me.schema.schema_files import Schema
from datasets_me.splits import make as splits
from datasets_me.splits.leaks import find_leaks

Progress = Callable[..., AbstractContextManager[Callable[..., None]]]
"""Begins to show the progress of something, with a unit of speed or none; gives ``update(done, total, note)``."""


@dataclass(frozen=True)
class Options:
    """What the user may choose of the whole work.

    Attributes:
        split: the protocol and its options.
        extraction: of the features.
        segments: of their export.
        workers: processes of the extraction.
    """

    split: splits.Options
    extraction: ExtractOptions = field(default_factory=ExtractOptions)
    segments: SegmentOptions = field(default_factory=SegmentOptions)
    workers: int = 1


def prepare(
    schema: Schema,
    source: str,
    root: Path,
    out: Path,
    options: Options,
    *,
    progress: Progress,
    ends: Callable[[Result], None],
) -> list[Result]:
    """Do everything that is not done yet, and write all findings to ``report.html``.

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
    if not root.is_dir():
        raise FolderError("the root is not a folder", where=str(root))
    ledger = Ledger(out, {"dataset": schema.spec.id})
    started = time.perf_counter()
    with progress("folders") as update:
        manifest = make_manifest(
            schema, source, root, walking=lambda folders, files: update(folders, note=f"{files:,} files")
        )
    if len({annotation.subject for annotation in manifest.annotations}) > 1:
        # refused now, not after hours; of one subject there is no split at all, and the rest can be done
        splits.make([manifest], options.split)
    ledger.claim()
    manifests.write(manifest, out / "manifest", force=True)
    step = Step("convert", ["manifest"], (), {}, lambda: Outcome(""), always=True)
    rows = manifest.counts()
    summary = f"{plural(rows['annotations'], 'annotation')} in {plural(rows['annotated_videos'], 'video')}"
    first = Result(step, "done", summary, list(manifest.findings), time.perf_counter() - started)
    ends(first)
    work = _Work(manifest, root, out, options, progress)
    results = [first, *run_steps(ledger, work.steps(), ends)]
    findings = in_order(finding for result in results for finding in result.findings)
    about = {"dataset": manifest.spec.id, **{result.step.name: result.summary for result in results}}
    page = reports.to_html(findings, f"{manifest.spec.title}: everything that was found", about)
    write_file(out / "report.html", page.encode())
    return results


@dataclass(frozen=True)
class _Work:
    """What all steps need, and the steps."""

    manifest: Manifest
    root: Path
    out: Path
    options: Options
    progress: Progress

    def steps(self) -> list[Step]:
        """The steps after the conversion, in order."""
        manifest = [
            self.out / "manifest" / name
            for name in ("annotations.parquet", "videos.parquet", "findings.parquet", "manifest.json")
        ]
        features = [*manifest, self.out / "features" / feature_files.TABLE]
        split = self.out / "split" / "splits.parquet"
        options, segments = self.options, self.options.segments
        steps = [
            Step("check", ["report.html"], manifest, {}, self._check, always=True),
            Step("extract", ["features", "sheet.html"], manifest, {}, self._extract, always=True),
            Step("split", ["split"], features, {"split": options.split}, self._split),
            Step("segments", ["segments"], features, segments.as_dict(), self._segments),
        ]
        if self.manifest.spec.auwgcn_csv and options.extraction.regions == "twelve":
            steps.append(Step("auwgcn", ["auwgcn"], features, {"compat": segments.compat}, self._auwgcn))
        if any(row.emotion for row in self.manifest.annotations):
            steps.append(Step("clips", ["clips"], features, {}, self._clips))
        return [
            *steps,
            Step("stats", ["stats.json"], [*features, split], {}, self._stats),
            Step("graph", ["graph.npy", "graph.png"], manifest, {}, self._graph),
            Step("card", ["card"], features, {}, self._card),
        ]

    def _features(self) -> feature_files.FeatureFolder:
        return feature_files.read(self.out / "features", self.manifest)

    def _check(self) -> Outcome:
        checked = check(self.manifest, self.root)
        return Outcome(f"{plural(len(checked.inventory.folders), 'folder')} of frames", checked.findings)

    def _extract(self) -> Outcome:
        done = 0
        with self.progress("frames", "frames/s") as update:

            def frames_done(count: int) -> None:
                nonlocal done
                done += count
                update(done)

            extraction = extract(
                self.manifest,
                self.root,
                self.out / "features",
                self.options.extraction,
                workers=self.options.workers,
                frames_done=frames_done,
            )
        write_sheet(self.manifest, self.root, self.out / "features", extraction, self.out / "sheet.html")
        statuses = ", ".join(f"{count} {status}" for status, count in counts(extraction) if count)
        return Outcome(f"{plural(len(extraction.rows), 'video')}: {statuses}", extraction.findings)

    def _split(self) -> Outcome:
        split = splits.make([self.manifest], self.options.split)
        split_files.write(split, self.out / "split", force=True)
        leaks = find_leaks(split, [self.manifest], self.progress, features=[self.out / "features"], may_be_empty=True)
        return Outcome(f"{plural(len(split.folds), 'fold')}, {split.protocol}", [*split.findings, *leaks.findings])

    def _segments(self) -> Outcome:
        with self.progress("videos") as update:
            exported = write_segments(
                self.manifest,
                self._features(),
                self.out / "segments",
                self.options.segments,
                force=True,
                progress=update,
            )
        labelled = f"{exported.labelled} of {plural(exported.annotations, 'annotation')} labelled"
        return Outcome(f"{plural(exported.segments, 'segment')}; {labelled}", exported.findings)

    def _auwgcn(self) -> Outcome:
        compat = self.options.segments.compat
        with self.progress("videos") as update:
            written = auwgcn.write(
                self.manifest,
                self._features(),
                self.out / "auwgcn",
                auwgcn.AuwgcnOptions(compat=compat),
                force=True,
                progress=update,
            )
        return Outcome(f"{plural(written.exported.segments, 'segment')} for {written.dataset}", written.findings)

    def _clips(self) -> Outcome:
        with self.progress("expressions") as update:
            exported = write_clips(
                self.manifest,
                self.root,
                self.out / "clips",
                ClipOptions(),
                features=self._features(),
                force=True,
                progress=update,
            )
        return Outcome(plural(exported.clips, "clip"), exported.findings)

    def _stats(self) -> Outcome:
        statistics: dict[str, Any] = request.measured(
            self.manifest, self.progress, features=self.out / "features", split=self.out / "split"
        )
        write_file(self.out / "stats.json", (json.dumps(statistics, indent=2, ensure_ascii=False) + "\n").encode())
        return Outcome(f"lengths, and mean and std of channels in {plural(len(statistics['channels']), 'fold')}")

    def _graph(self) -> Outcome:
        table = region_tables.load("twelve")
        graph = graphs.graph(self.manifest.annotations, table)
        graphs.write(graph, self.out / "graph.npy")
        title = f"{self.manifest.spec.title}: regions that move together"
        draw(graph.matrix, table.regions, title, self.out / "graph.png")
        return Outcome(
            f"{graph.used} of {plural(len(self.manifest.annotations), 'annotation')} have units of the table"
        )

    def _card(self) -> Outcome:
        card = cards.make(self.out / "manifest", self.out / "features")
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
