"""``me-datasets stats``: lengths of expressions, and means of features."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from datasets_me.cli import arguments, show
from datasets_me.core.errors import MeDatasetsError

if TYPE_CHECKING:
    from datasets_me.cli.show import Screen


class Format(StrEnum):
    """How statistics are printed."""

    table = "table"
    json = "json"
    yaml = "yaml"


_FASTEST = 100_000.0  # frames a second; no camera of faces comes near


def stats(
    manifest: Path = arguments.MANIFEST,
    features: Path = typer.Argument(None, help="A folder of features: of 'me-datasets extract', or any."),
    split: Path = typer.Option(None, "--split", help="Means and deviations of each fold's training part (a split)."),
    fps: float = typer.Option(None, "--fps", help="Count lengths at this frame rate."),
    output: Format = typer.Option(
        Format.table, "--format", help="yaml: the numbers that AUW-GCN and ABPN read from their config.yaml."
    ),
    out: Path = typer.Option(None, "-o", "--out", help="Write to this file instead of standard output."),
    force: bool = arguments.FORCE,
) -> None:
    """Count and measure expressions; mean and deviation of each channel of features, per fold."""
    from datasets_me.core.artefact import may_write, write_file
    from datasets_me.export.statistics import auwgcn_section, report
    from datasets_me.formats import manifest as manifests

    may_write(out, force)
    if fps is not None and not 1 <= fps <= _FASTEST:
        raise MeDatasetsError(f"--fps must be 1 to {_FASTEST:g}, not {fps:g}")
    if split is not None and features is None:
        raise MeDatasetsError("--split says whose features are measured, but there are none", fix="give FEATURES")
    made = manifests.read(manifest)
    if output is Format.yaml:
        text = auwgcn_section.to_yaml(auwgcn_section.section(made, fps)).rstrip()
    else:
        found = report.statistics(made, fps)
        if features is not None:
            found["channels"] = _channels(made, features, split)
        if output is Format.table and out is None:
            _show(found, show.console())
            return
        if output is Format.json and out is None:
            show.echo_json(found)
            return
        text = json.dumps(found, indent=2, ensure_ascii=False) if output is Format.json else _as_text(found)
    if out is None:
        show.echo_document(text)
    else:
        write_file(out, f"{text}\n".encode())
        show.echo(f"written to {out}", err=True)


def _channels(made: Any, features: Path, split: Path | None) -> list[dict[str, Any]]:
    from datasets_me.export.statistics import channels, report
    from datasets_me.formats import features as feature_files
    from datasets_me.formats import split as split_files

    chosen = split_files.read(split) if split is not None else None
    folder = feature_files.read(features, made)
    with show.progress("features") as update:
        return report.channels(channels.of_folds(folder, made, chosen, update))


def _as_text(found: dict[str, Any]) -> str:
    import io

    file = io.StringIO()
    _show(found, show.console(file))
    return file.getvalue().rstrip()


def _show(found: dict[str, Any], out: Screen) -> None:
    numbers = ["rows", "n", "mean", "min", "5 %", "median", "95 %", "max", "apex after onset", "offset after apex"]
    table = show.table(None, "type", "of", *numbers, right=numbers)
    for kind, entry in found["types"].items():
        table.add_row(kind, "all", *_measured(entry["all"]))
        for name in ("emotions", "subjects"):
            for value, measured in entry[name].items():
                table.add_row("", value or "no emotion", *_measured(measured))
    out.print(table)
    out.print(
        "",
        f"{found['annotations']} annotations of {found['subjects']} subjects in {found['videos']} videos; lengths in "
        f"frames at {found['fps']:g} frames a second, both ends included; distances of the apex are means",
    )
    for fold in found.get("channels", ()):
        _show_channels(fold, out)


def _measured(entry: dict[str, Any]) -> list[str]:
    length = entry["length"]
    quantiles = [f"{value:g}" for value in length["quantiles"][::2]] or ["-"] * 3
    ends = ["-" if length[name] is None else str(length[name]) for name in ("min", "max")]
    sides = [_mean(entry[side]) for side in ("left", "right")]
    return [str(entry["rows"]), str(length["count"]), _mean(length), ends[0], *quantiles, ends[1], *sides]


def _mean(spread: dict[str, Any]) -> str:
    return "-" if spread["mean"] is None else f"{spread['mean']:.2f}"


def _show_channels(fold: dict[str, Any], out: Screen) -> None:
    """One line per fold: over all regions. JSON has each region."""
    name = "all videos" if fold["fold"] is None else f"fold {fold['fold']}, training part"
    values = [
        f"{axis} mean {_known(fold['pooled']['mean'][i])} std {_known(fold['pooled']['std'][i])}"
        for i, axis in enumerate("xy")
    ]
    unknown = sum(fold["pooled"]["unknown"])
    total = unknown + sum(fold["pooled"]["count"])
    out.print(f"{name} ({fold['videos']} videos): {', '.join(values)}; {unknown:,} of {total:,} values unknown")


def _known(value: float | None) -> str:
    return "-" if value is None else f"{value:.6f}"
