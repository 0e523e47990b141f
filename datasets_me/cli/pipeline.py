"""The steps of ``me-datasets prepare``, from the workbook to the card."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from datasets_me.cards import card as cards
from datasets_me.cards import write as card_files
from datasets_me.cards.contact_sheet import write_sheet
from datasets_me.cards.graph_plot import draw
from datasets_me.cli.prepare_steps import Ledger, Outcome, Result, Step, run_steps
from datasets_me.convert.convert import convert
from datasets_me.convert.source import find_source
from datasets_me.core.artefact import write_file
from datasets_me.core.errors import FolderError, SplitError, plural
from datasets_me.export import auwgcn
from datasets_me.export.clips import ClipOptions, write_clips
from datasets_me.export.options import SegmentOptions
from datasets_me.export.segments import write_segments
from datasets_me.export.statistics import channels, region_tables, report
from datasets_me.export.statistics import graph as graphs
from datasets_me.export.statistics.graph import Compat
from datasets_me.extract.extract import counts, extract
from datasets_me.extract.options import ExtractOptions
from datasets_me.findings import report as reports
from datasets_me.findings.finding import Finding
from datasets_me.folders.check import check, with_folders
from datasets_me.formats import features as feature_files
from datasets_me.formats import manifest as manifests
from datasets_me.formats import split as split_files
from datasets_me.formats.manifest import Manifest
from datasets_me.schema.schema_files import Schema
from datasets_me.splits import make as splits
from datasets_me.splits.check import SplitContext
from datasets_me.splits.check import check as check_split
from datasets_me.splits.near_features import check_features

Update = Callable[..., None]
Progress = Callable[[str, str | None], AbstractContextManager[Update]]
"""Opens a progress bar of something, with a unit of speed or none; gives ``update(done, total, note)``."""


@dataclass(frozen=True)
class Options:
    """What the user may choose of the whole work.

    Attributes:
        split: the protocol and its options.
        extraction: of the features.
        segments: of their export.
        workers: processes of the extraction.
    """

    split: splits.SplitOptions
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
    begins: Callable[[str], None],
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
    path = find_source(schema.spec, source, root)
    if not root.is_dir():
        raise FolderError("the root is not a folder", where=str(root))
    ledger = Ledger(out, {"dataset": schema.spec.id})
    begins("convert")
    started = time.perf_counter()
    with progress("folders", None) as update:
        made = convert(schema, path).manifest()
        made = with_folders(made, root, lambda folders, files: update(folders, note=f"{files:,} files"))
    if len({annotation.subject for annotation in made.annotations}) > 1:
        # refused now, not after hours; of one subject there is no split at all, and the rest can be done
        splits.make([made], options.split)
    ledger.claim()
    manifests.write(made, out / "manifest", force=True)
    step = Step("convert", ["manifest"], (), {}, lambda: Outcome(""), always=True)
    first = Result(step, "done", _counted(made), list(made.findings), time.perf_counter() - started)
    ends(first)
    results = [first, *run_steps(ledger, _steps(made, root, out, options, progress), begins, ends)]
    findings = [finding for result in results for finding in result.findings]
    said = {"dataset": made.spec.id, **{result.step.name: result.said for result in results}}
    page = reports.to_html(findings, f"{made.spec.title}: everything that was found", said)
    write_file(out / "report.html", page.encode())
    return results


def _steps(made: Manifest, root: Path, out: Path, options: Options, progress: Progress) -> list[Step]:
    manifest = [
        out / "manifest" / name
        for name in ("annotations.parquet", "videos.parquet", "findings.parquet", "manifest.json")
    ]
    features = [*manifest, out / "features" / feature_files.TABLE]
    split = out / "split" / "splits.parquet"
    steps = [
        Step("check", ["report.html"], manifest, {}, lambda: _check(made, root), always=True),
        Step(
            "extract",
            ["features", "sheet.html"],
            manifest,
            {},
            lambda: _extract(made, root, out, options, progress),
            always=True,
        ),
        Step("split", ["split"], features, {"split": options.split}, lambda: _split(made, out, options, progress)),
        Step(
            "segments",
            ["segments"],
            features,
            options.segments.as_dict(),
            lambda: _segments(made, out, options.segments, progress),
        ),
    ]
    if made.spec.auwgcn_csv and options.extraction.regions == "twelve":
        compat = options.segments.compat
        steps.append(
            Step("auwgcn", ["auwgcn"], features, {"compat": compat}, lambda: _auwgcn(made, out, compat, progress))
        )
    if any(row.emotion for row in made.annotations):
        steps.append(Step("clips", ["clips"], features, {}, lambda: _clips(made, root, out, progress)))
    steps += [
        Step("stats", ["stats.json"], [*features, split], {}, lambda: _stats(made, out, progress)),
        Step("graph", ["graph.npy", "graph.png"], manifest, {}, lambda: _graph(made, out)),
        Step("card", ["card"], features, {}, lambda: _card(out)),
    ]
    return steps


def _counted(made: Manifest) -> str:
    found = made.counts()
    return f"{plural(found['annotations'], 'annotation')} in {plural(found['annotated_videos'], 'video')}"


def _check(made: Manifest, root: Path) -> Outcome:
    checked = check(made, root)
    return Outcome(f"{plural(len(checked.inventory.folders), 'folder')} of frames", checked.findings)


def _extract(made: Manifest, root: Path, out: Path, options: Options, progress: Progress) -> Outcome:
    done = 0
    with progress("frames", "frames/s") as update:

        def frames_done(count: int) -> None:
            nonlocal done
            done += count
            update(done)

        extraction = extract(
            made, root, out / "features", options.extraction, workers=options.workers, frames_done=frames_done
        )
    write_sheet(made, root, out / "features", extraction, out / "sheet.html")
    said = ", ".join(f"{count} {status}" for status, count in counts(extraction) if count)
    return Outcome(f"{plural(len(extraction.rows), 'video')}: {said}", extraction.findings)


def _split(made: Manifest, out: Path, options: Options, progress: Progress) -> Outcome:
    split = splits.make([made], options.split)
    split_files.write(split, out / "split", force=True)
    context = SplitContext(split, [made])
    features = feature_files.read(out / "features", made)
    with progress("clips", None) as update:
        alike, _ = check_features(context, [(made.spec.id, features)], update)
    findings = [*split.findings, *check_split(context), *alike]
    return Outcome(f"{plural(len(split.folds), 'fold')}, {split.protocol}", findings)


def _segments(made: Manifest, out: Path, options: SegmentOptions, progress: Progress) -> Outcome:
    features = feature_files.read(out / "features", made)
    with progress("videos", None) as update:
        exported = write_segments(made, features, out / "segments", options, force=True, progress=update)
    said = (
        f"{plural(exported.segments, 'segment')}; {exported.labelled} of {plural(exported.annotations, 'annotation')}"
    )
    return Outcome(f"{said} labelled", exported.findings)


def _auwgcn(made: Manifest, out: Path, compat: Compat | None, progress: Progress) -> Outcome:
    features = feature_files.read(out / "features", made)
    with progress("videos", None) as update:
        written = auwgcn.write(
            made, features, out / "auwgcn", auwgcn.AuwgcnOptions(compat=compat), force=True, progress=update
        )
    return Outcome(f"{plural(written.exported.segments, 'segment')} for {written.dataset}", written.findings)


def _clips(made: Manifest, root: Path, out: Path, progress: Progress) -> Outcome:
    features = feature_files.read(out / "features", made)
    with progress("expressions", None) as update:
        exported = write_clips(made, root, out / "clips", ClipOptions(), features=features, force=True, progress=update)
    return Outcome(plural(exported.clips, "clip"), exported.findings)


def _stats(made: Manifest, out: Path, progress: Progress) -> Outcome:
    found = report.statistics(made)
    features, split = feature_files.read(out / "features", made), split_files.read(out / "split")
    with progress("features", None) as update:
        found["channels"] = report.channels(channels.of_folds(features, made, split, update))
    write_file(out / "stats.json", (json.dumps(found, indent=2, ensure_ascii=False) + "\n").encode())
    return Outcome(f"lengths, and mean and std of channels in {plural(len(found['channels']), 'fold')}")


def _graph(made: Manifest, out: Path) -> Outcome:
    table = region_tables.load("twelve")
    found = graphs.graph(made.annotations, table)
    graphs.write(found, out / "graph.npy")
    draw(found.matrix, table.regions, f"{made.spec.title}: regions that move together", out / "graph.png")
    return Outcome(f"{found.used} of {plural(len(made.annotations), 'annotation')} have units of the table")


def _card(out: Path) -> Outcome:
    names = card_files.write(cards.make(out / "manifest", out / "features"), out / "card", force=True)
    return Outcome(plural(len(names), "file"))


def to_do(results: Sequence[Result], most: int = 8) -> list[tuple[str, int, Finding]]:
    """What to act on: codes of errors, then of warnings, each with its count and its first finding."""
    found: dict[str, list[Finding]] = {}
    for result in results:
        for finding in result.findings:
            if finding.severity != "info":
                found.setdefault(finding.code, []).append(finding)
    ranked = sorted(found.items(), key=lambda item: (item[1][0].severity != "error", -len(item[1]), item[0]))
    return [(code, len(findings), findings[0]) for code, findings in ranked[:most]]
