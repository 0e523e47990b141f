"""Verbs that describe a dataset: ``stats``, ``graph``, ``card``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import typer

from datasets_me.cli import options, show
from datasets_me.cli.run import Answer, verb
from datasets_me.core.choices import Compat, Distances
from datasets_me.core.errors import MeDatasetsError, plural


@verb("me-datasets stats casme-sq-manifest --format yaml", formats=Literal["table", "json", "yaml"], to_file=True)
def stats(
    output: str,
    manifest: Path = options.MANIFEST,
    features: Path = typer.Argument(None, help="A folder of features: of 'me-datasets extract', or any."),
    split: Path = typer.Option(None, "--split", help="Means and deviations of each fold's training part (a split)."),
    fps: float = typer.Option(None, "--fps", help="Count lengths at this frame rate."),
    distances: Distances | None = options.DISTANCES,
) -> Answer:
    """Count and measure expressions; mean and deviation of each channel of features, per fold.

    With --format yaml, the numbers that AUW-GCN and ABPN read from their config.yaml.
    """
    from datasets_me.export.statistics import request
    from datasets_me.formats import manifest as manifests

    if distances is not None and output != "yaml":
        raise MeDatasetsError("--distances is for --format yaml; the others show the distances by every rule")
    annotated = manifests.read(manifest)
    if output == "yaml":
        section = request.config(annotated, fps=fps, distances=distances)
        return Answer(documents={"yaml": lambda _: section})
    statistics = request.measured(annotated, show.progress, fps=fps, features=features, split=split)
    return Answer(_statistics(statistics), data=statistics)


def _statistics(statistics: dict[str, Any]) -> list[show.Part]:
    numbers = ["rows", "n", "mean", "min", "5 %", "median", "95 %", "max", "apex after onset", "offset after apex"]
    table = show.Rows(None, "type", "of", *numbers, right=numbers)
    digits = 2 if statistics["unit"] == "frames" else 3
    for kind, entry in statistics["types"].items():
        table.add_row(kind, "all", *_measured(entry["all"], digits))
        for name in ("emotions", "subjects"):
            for value, measured in entry[name].items():
                table.add_row("", value or "no emotion", *_measured(measured, digits))
    if statistics["unit"] == "frames":
        unit = f"frames at {statistics['fps']:g}"
    else:
        unit = f"seconds, as there are rows of {', '.join(f'{rate:g}' for rate in statistics['rates'])}"
    return [
        table,
        "",
        f"{plural(statistics['annotations'], 'annotation')} of {plural(statistics['subjects'], 'subject')} in "
        f"{plural(statistics['videos'], 'video')}; lengths in {unit} frames a second, both ends included; "
        "distances of the apex are means",
        *_search(statistics["search"]),
        *map(_channels, statistics.get("channels", ())),
    ]


def _search(search: dict[str, Any]) -> list[show.Part]:
    """The distances that ``config.yaml`` may be given, by every rule."""
    if len(search["types"]) < 2:
        return []  # the scripts need both types
    numbers = ["length", "onset to apex", "apex to offset", "within"]
    table = show.Rows(None, "type", "--distances", *numbers, right=numbers)
    for kind, entry in search["types"].items():
        for rule, limits in entry["distances"].items():
            ends = (f"{low} to {high}" for low, high in (entry["length"], limits["left"], limits["right"]))
            table.add_row(kind, rule, *ends, f"{limits['within']} of {entry['apexes']}")
    return [
        "",
        "For config.yaml of AUW-GCN and ABPN; they count frames from one to the other, one less than with both ends; "
        f"at {search['fps']:g} a second, of rows whose frames are in order; within: those found in both distances",
        table,
    ]


def _measured(entry: dict[str, Any], digits: int) -> list[str]:
    length = entry["length"]
    quantiles = [f"{round(value, digits):g}" for value in length["quantiles"][::2]] or ["-"] * 3
    ends = ["-" if length[name] is None else str(round(length[name], digits)) for name in ("min", "max")]
    means = [
        "-" if spread["mean"] is None else f"{spread['mean']:.{digits}f}"
        for spread in (length, *map(entry.get, ("left", "right")))
    ]
    return [str(entry["rows"]), str(length["count"]), means[0], ends[0], *quantiles, ends[1], *means[1:]]


def _channels(fold: dict[str, Any]) -> str:
    """One line per fold: over all regions. JSON has each region."""
    name = "all videos" if fold["fold"] is None else f"fold {fold['fold']}, training part"
    pooled = fold["pooled"]
    values = [f"{axis} mean {_known(pooled['mean'][i])} std {_known(pooled['std'][i])}" for i, axis in enumerate("xy")]
    unknown = sum(pooled["unknown"])
    total = unknown + sum(pooled["count"])
    return f"{name} ({fold['videos']} videos): {', '.join(values)}; {unknown:,} of {total:,} values unknown"


def _known(value: float | None) -> str:
    return "-" if value is None else f"{value:.6f}"


@verb("me-datasets graph casme-sq-manifest -o graph.npy --picture graph.png")
def graph(
    manifest: Path = options.MANIFEST,
    out: Path = typer.Option(..., "-o", "--out", help="The matrix to write (.npy)."),
    regions: str = typer.Option(
        "twelve", "--regions", help="Which regions each action unit moves: twelve, twelve-facs, eleven, or a YAML file."
    ),
    compat: Compat | None = options.COMPAT,
    picture: Path = typer.Option(None, "--picture", help="Draw the matrix as a heat map (.png)."),
    force: bool = options.FORCE,
) -> Answer:
    """Write the co-occurrence of action units as an adjacency matrix over regions of the face."""
    from datasets_me.core.artefact import may_write
    from datasets_me.export.statistics import graph as graphs
    from datasets_me.export.statistics import region_tables
    from datasets_me.formats import manifest as manifests

    for path in (out, picture):
        may_write(path, force)
    if picture is not None and picture.suffix.casefold() != ".png":
        raise MeDatasetsError(f"the picture is a PNG, but its name is {picture.name}", fix="end its name in .png")
    if out.suffix.casefold() == ".png":
        raise MeDatasetsError(f"the matrix is an .npy file, but its name is {out.name}", fix="end its name in .npy")
    annotated = manifests.read(manifest)
    table = region_tables.load(regions)
    adjacency = graphs.graph(annotated.annotations, table, compat=compat)
    size = len(table.regions)
    parts = [graphs.summary(adjacency), f"{size} × {size} written to {out}"]
    if picture is not None:
        from datasets_me.cards.graph_plot import draw

        # first, because matplotlib may be missing: nothing is written then
        draw(adjacency.matrix, table.regions, f"{annotated.spec.title}: regions that move together", picture)
        parts.append(f"drawn in {picture}")
    graphs.write(adjacency, out)
    data = {"graph": str(out), "regions": list(table.regions), "matrix": adjacency.matrix.tolist()}
    return Answer(parts, data={**data, "picture": picture and str(picture)})


@verb("me-datasets card casme2-manifest --features casme2-features -o card")
def card(
    manifest: Path = options.MANIFEST,
    out: Path = typer.Option(..., "-o", "--out", help="The folder of the card."),
    features: Path = typer.Option(None, "--features", help="A folder of features, to be summed up in the card."),
    force: bool = options.FORCE,
) -> Answer:
    """Write a dataset card: README.md, card.html, croissant.json, card.json and plots."""
    from datasets_me.cards import card as cards
    from datasets_me.cards import write
    from datasets_me.core import artefact
    from datasets_me.formats.kinds import CARD

    artefact.may_replace(out, CARD, force)
    with show.progress("card"):
        description = cards.make(manifest, features)
        names = write.write(description, out, force=force)
    missing = {name: plot for name, plot in description.plots.items() if isinstance(plot, str)}
    return Answer(
        [
            *(f"{out}/{name}" for name in names),
            *(f"no plot of {name.replace('_', ' ')}: {why}" for name, why in missing.items()),
        ],
        data={"card": str(out), "files": names, "no_plot_of": missing},
    )
