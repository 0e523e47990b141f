"""``me-datasets prepare``: everything, from the workbook to the card."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from datasets_me.cli import options, show
from datasets_me.cli.log import LOGGER, note
from datasets_me.cli.run import Answer, verb
from datasets_me.core.choices import Compat, Detector, Preset, Protocol, Unit
from datasets_me.core.errors import StoppedError

if TYPE_CHECKING:
    from datasets_me.cli.steps import Result
    from datasets_me.extract.options import ExtractOptions


@verb("me-datasets prepare casme2 CASME2-coding-20140508.xlsx --root CASME2 -o casme2")
def prepare(
    output: str,
    dataset: str = options.DATASET,
    source: str = typer.Argument(None, help="The workbook, or a folder to find it in."),
    root: Path = typer.Option(
        None, "--root", help="The folder of frames. Without it: manifest, split, statistics, graph, report and card."
    ),
    out: Path = typer.Option(..., "-o", "--out", help="The folder to make, or to go on with."),
    protocol: Protocol = options.PROTOCOL,
    unit: Unit | None = options.UNIT,
    folds: int = options.FOLDS,
    test: float = options.TEST,
    validation: float = options.VALIDATION,
    seed: int = typer.Option(0, "--seed", min=0, help="Of the split."),
    preset: Preset = options.PRESET,
    faces: Detector = options.FACES,
    layout: str = options.LAYOUT,
    fps: float = options.FPS,
    compat: Compat | None = options.COMPAT,
    frames: str = typer.Option(
        "16", "--frames", help="Pictures of each expression: a number, key (onset, apex, offset), or all."
    ),
    size: int = typer.Option(128, "--size", help="Height and width of the pictures."),
    align: bool = typer.Option(False, "--align", help="Hold the face still in the pictures."),
    workers: int = options.PROCESSES,
    decisions: Path = options.DECISIONS,
    schema: Path = options.SCHEMA,
) -> Answer:
    """Convert, check, extract, split, export, and describe a dataset; run it again to go on where it ended.

    Exit code 0: no errors. 1: there are error findings. 2: a step could not be done.
    """
    from datasets_me.cli import pipeline
    from datasets_me.core.engine import workers_for
    from datasets_me.export.clips import ClipOptions
    from datasets_me.export.options import SegmentOptions
    from datasets_me.formats import decisions as decision_files
    from datasets_me.splits.make import SplitOptions

    chosen, where = options.schema_and_rest(schema, dataset, source, "SOURCE")
    wishes = pipeline.Options(
        split=SplitOptions(protocol, unit, folds, test, validation, seed=seed),
        extraction=_extraction(preset, faces, layout, fps) if root else None,
        segments=SegmentOptions(compat=compat),
        clips=ClipOptions(frames, size, align, layout),
        decisions=None if decisions is None else decision_files.read(decisions),
        workers=workers_for(workers),
    )
    try:
        results = pipeline.prepare(
            chosen,
            where,
            root,
            out,
            wishes,
            progress=show.progress,
            ends=lambda result: _ends(result, err=output != "table"),
        )
    except KeyboardInterrupt:
        raise StoppedError("stopped; run the same again to go on") from None
    return Answer(
        [*_to_do(results), "", *_ending(results, out)],
        data={
            "folder": str(out),
            "steps": [
                {"step": result.step.name, "status": result.status, "summary": result.summary} for result in results
            ],
            "findings": [finding.model_dump(exclude_none=True) for result in results for finding in result.findings],
        },
        exit_code=_exit_code(results),
    )


def _extraction(preset: Preset, faces: Detector, layout: str | None, fps: float | None) -> ExtractOptions:
    from datasets_me.extract.options import ExtractOptions

    return ExtractOptions(preset=preset, faces=faces, layout=layout, fps=fps)


def _to_do(results: Sequence[Result]) -> list[show.Part]:
    from datasets_me.cli.pipeline import to_do

    work = to_do(results)
    if not work:
        return []
    table = show.Rows("To act on", "code", "severity", "count", "for example", "what to do", right=["count"])
    for code, count, finding in work:
        table.add_row(
            code, show.severity(finding.severity), f"{count:,}", f"{finding.where}: {finding.message}", finding.fix
        )
    return ["", table]


def _ending(results: Sequence[Result], out: Path) -> list[str]:
    missing = [result for result in results if result.status in ("failed", "skipped")]
    if not missing:
        sheet = "sheet.html (faces), " if (out / "sheet.html").exists() else ""
        return [f"everything is in {out}: report.html (all findings), {sheet}card/card.html"]
    steps = ", ".join(f"{result.step.name} {result.status}" for result in missing)
    lines = [f"not everything could be done: {steps}; the rest is in {out}, all findings in report.html"]
    older = [name for result in missing for name in result.older]
    if older:
        lines.append(f"of an earlier run, not of this one: {', '.join(older)}")
    return lines


def _ends(result: Result, *, err: bool) -> None:
    """Show and log how a step ended."""
    show.echo(_line(result), err=err)
    LOGGER.log(logging.ERROR if result.status == "failed" else logging.INFO, "%s", _line(result))
    note(result.findings)


def _line(result: Result) -> str:
    return f"{result.step.name:<9} {result.status:<8} {result.seconds:6.1f} s  {result.summary}"


def _exit_code(results: Sequence[Result]) -> int:
    if any(result.status in ("failed", "skipped") for result in results):
        return 2
    return int(any(finding.severity == "error" for result in results for finding in result.findings))
