"""``me-datasets images groups``: all faces of group photographs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from datasets_me.cli import arguments, show
from datasets_me.core.errors import plural

if TYPE_CHECKING:
    from datasets_me.images.groups.embed import Embedder


def groups(
    images: Path = typer.Argument(help="A set of images, made by 'me-datasets images import'."),
    out: Path = typer.Option(..., "-o", "--out", help="The folder to write."),
    root: Path = typer.Option(None, "--root", help="The folder under which the files lie: the one that was imported."),
    pad: int = typer.Option(None, "--pad", min=1, help="Vectors per image: zeros are added, or the smallest faces go."),
    model: Path = typer.Option(None, "--model", help="Your model of faces: .onnx, or TorchScript; dlib's by default."),
    mean: float = typer.Option(127.5, "--mean", help="What is subtracted from grey values before your model."),
    std: float = typer.Option(127.5, "--std", min=1e-6, help="What they are divided by then."),
    whole: Path = typer.Option(
        None,
        "--whole-model",
        help="A model that describes the whole photograph: .onnx, or TorchScript; RGB, (v - mean) / std.",
    ),
    side: int = typer.Option(224, "--whole-size", min=8, help="px of the square that it is given."),
    detector: str = typer.Option("dlib", "--detector", help="dlib, haar, or yunet with --weights."),
    weights: Path = typer.Option(None, "--weights", help="The ONNX file of yunet."),
    workers: int = typer.Option(None, "--workers", min=1, help="Processes; one per core by default."),
    force: bool = arguments.FORCE,
) -> None:
    """Find every face of every image: coordinates, crops, aligned faces, and an npz with one vector per face.

    Exit code 0: no errors among the findings. 1: there are some; the rest is written. 2: could not run.
    """
    from datasets_me.findings.summary import by_code
    from datasets_me.formats import image_set
    from datasets_me.images.groups.groups import GroupOptions, write_groups
    from datasets_me.images.looks.faces import Finder

    made = image_set.read(images)
    options = GroupOptions(
        Finder(detector, weights),
        _embedder(model, mean, std, 112),
        pad,
        None if whole is None else _embedder(whole, mean, std, side),
        side,
    )
    with show.progress("images") as update:
        done = write_groups(made, made.root(root), out, options, workers=workers, progress=update, force=force)
    console = show.console()
    table = show.table(None, "faces", "images", right=["faces", "images"])
    for count, times in sorted(done.by_count.items()):
        table.add_row(f"{count:,}", f"{times:,}")
    console.print(table)
    if done.findings:
        console.print()
        console.print(show.findings_by_code(by_code(done.findings)))
    console.print("", f"{plural(done.faces, 'face')} of {plural(done.images, 'image')} written to {out}")
    raise typer.Exit(1 if any(finding.severity == "error" for finding in done.findings) else 0)


def _embedder(model: Path | None, mean: float, std: float, side: int) -> Callable[[], Embedder]:
    from datasets_me.images.groups import embed

    if model is None:
        return embed.dlib_embedder
    if model.suffix.casefold() == ".onnx":
        return partial(embed.onnx_embedder, model, mean=mean, std=std, side=side)
    from datasets_me.torch_data.embedding import torchscript_embedder

    return partial(torchscript_embedder, model, mean=mean, std=std, side=side)
