"""``me-datasets prepare``: everything, from the workbook to the card."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from datasets_me.cli import arguments, show
from datasets_me.cli.export_segments import Compat
from datasets_me.cli.extract import Faces, Preset
from datasets_me.cli.split import FOLDS, TEST, VALIDATION, Protocol, Unit

if TYPE_CHECKING:
    from datasets_me.cli.prepare_steps import Result


def prepare(
    dataset: str = arguments.DATASET,
    source: str = typer.Argument(None, help="The workbook, or a folder to find it in."),
    root: Path = arguments.ROOT,
    out: Path = typer.Option(..., "-o", "--out", help="The folder to make, or to go on with."),
    protocol: Protocol = typer.Option(Protocol.loso, "--protocol", help="Who trains and who is tested."),
    unit: Unit = typer.Option(None, "--unit", help="What the split deals out; videos by default."),
    folds: int = FOLDS,
    test: float = TEST,
    validation: float = VALIDATION,
    seed: int = typer.Option(0, "--seed", min=0, help="Of the split."),
    preset: Preset = typer.Option(Preset.default, "--preset", help="How features are computed."),
    faces: Faces = typer.Option(Faces.dlib, "--faces", help="What finds faces; see me-datasets extract --help."),
    layout: str = typer.Option(None, "--layout", help="The layout to take frames from."),
    fps: float = typer.Option(None, "--fps", help="Take frames at this rate, such as 25 of 200."),
    compat: Compat = typer.Option(None, "--compat", help="Label exactly as the published scripts do."),
    workers: int = typer.Option(0, "--workers", min=0, help="Processes; 0 for one per core."),
    schema: Path = arguments.SCHEMA,
) -> None:
    """Convert, check, extract, split, export, and describe a dataset; run it again to go on where it ended.

    Exit code 0: no errors. 1: there are error findings. 2: a step could not be done.
    """
    from datasets_me.cli import pipeline
    from datasets_me.core.engine import workers_for
    from datasets_me.export.options import SegmentOptions
    from datasets_me.extract.options import ExtractOptions
    from datasets_me.splits.make import SplitOptions

    chosen, where = arguments.schema_and_rest(schema, dataset, source, "SOURCE")
    options = pipeline.Options(
        split=SplitOptions(
            protocol=protocol.value,
            unit=unit.value if unit else None,
            folds=folds,
            test=test,
            validation=validation,
            seed=seed,
        ),
        extraction=ExtractOptions(preset=preset.value, faces=faces.value, layout=layout, fps=fps),
        segments=SegmentOptions(compat=compat.value if compat else None),
        workers=workers_for(workers),
    )
    console = show.console()
    try:
        results = pipeline.prepare(
            chosen,
            where,
            root,
            out,
            options,
            progress=show.progress,
            begins=lambda name: None,
            ends=lambda result: show.echo(_line(result)),
        )
    except KeyboardInterrupt:
        show.echo("stopped; run the same again to go on", err=True)
        raise typer.Exit(arguments.INTERRUPTED) from None
    work = pipeline.to_do(results)
    if work:
        console.print()
        table = show.table("To act on", "code", "severity", "count", "for example", "what to do", right=["count"])
        for code, count, finding in work:
            table.add_row(
                code, show.severity(finding.severity), f"{count:,}", f"{finding.where}: {finding.message}", finding.fix
            )
        console.print(table)
    show.echo("", *_ending(results, out))
    raise typer.Exit(_exit_code(results))


def _ending(results: list[Result], out: Path) -> list[str]:
    missing = [result for result in results if result.status in ("failed", "skipped")]
    if not missing:
        return [f"everything is in {out}: report.html (all findings), sheet.html (faces), card/card.html"]
    said = ", ".join(f"{result.step.name} {result.status}" for result in missing)
    lines = [f"not everything could be done: {said}; the rest is in {out}, all findings in report.html"]
    older = [name for result in missing for name in result.older]
    if older:
        lines.append(f"of an earlier run, not of this one: {', '.join(older)}")
    return lines


def _line(result: Result) -> str:
    return f"{result.step.name:<9} {result.status:<8} {result.seconds:6.1f} s  {result.said}"


def _exit_code(results: list[Result]) -> int:
    if any(result.status in ("failed", "skipped") for result in results):
        return 2
    return int(any(finding.severity == "error" for result in results for finding in result.findings))
