"""``me-datasets stats``: lengths of expressions, and means of features."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from datasets_me.cli import arguments, show
from datasets_me.cli.arguments import DISTANCES, Distances
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
    distances: Distances = DISTANCES,
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
    if distances is not None and output is not Format.yaml:
        raise MeDatasetsError("--distances is for --format yaml; the others show the distances by every rule")
    if split is not None and features is None:
        raise MeDatasetsError("--split says whose features are measured, but there are none", fix="give FEATURES")
    made = manifests.read(manifest)
    if output is Format.yaml:
        text = auwgcn_section.to_yaml(
            auwgcn_section.section(made, fps, distances.value if distances else None)
        ).rstrip()
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
    digits = 2 if found["unit"] == "frames" else 3
    for kind, entry in found["types"].items():
        table.add_row(kind, "all", *_measured(entry["all"], digits))
        for name in ("emotions", "subjects"):
            for value, measured in entry[name].items():
                table.add_row("", value or "no emotion", *_measured(measured, digits))
    out.print(table)
    rates = ", ".join(f"{rate:g}" for rate in found["rates"])
    unit = f"frames at {found['fps']:g}" if found["unit"] == "frames" else f"seconds, as there are rows of {rates}"
    out.print(
        "",
        f"{found['annotations']} annotations of {found['subjects']} subjects in {found['videos']} videos; lengths in "
        f"{unit} frames a second, both ends included; distances of the apex are means",
    )
    _show_search(found["search"], out)
    for fold in found.get("channels", ()):
        _show_channels(fold, out)


def _show_search(search: dict[str, Any], out: show.Screen) -> None:
    """The distances that ``config.yaml`` may be given, by every rule."""
    if len(search["types"]) < 2:
        return  # the scripts need both types
    out.print(
        "",
        "For config.yaml of AUW-GCN and ABPN; they count frames from one to the other, one less than with both ends; "
        f"at {search['fps']:g} a second, of rows whose frames are in order; within: those found in both distances",
    )
    numbers = ["length", "onset to apex", "apex to offset", "within"]
    table = show.table(None, "type", "--distances", *numbers, right=numbers)
    for kind, entry in search["types"].items():
        for rule, limits in entry["distances"].items():
            ends = [_range(entry["length"]), _range(limits["left"]), _range(limits["right"])]
            table.add_row(kind, rule, *ends, f"{limits['within']} of {entry['apexes']}")
    out.print(table)


def _range(ends: list[int]) -> str:
    return f"{ends[0]} to {ends[1]}"


def _measured(entry: dict[str, Any], digits: int) -> list[str]:
    length = entry["length"]
    quantiles = [f"{round(value, digits):g}" for value in length["quantiles"][::2]] or ["-"] * 3
    ends = ["-" if length[name] is None else str(round(length[name], digits)) for name in ("min", "max")]
    means = [
        "-" if spread["mean"] is None else f"{spread['mean']:.{digits}f}"
        for spread in (length, *map(entry.get, ("left", "right")))
    ]
    return [str(entry["rows"]), str(length["count"]), means[0], ends[0], *quantiles, ends[1], *means[1:]]


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
