"""Verbs that look for what is wrong: ``check``, ``check-split``, and ``explain``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from datasets_me.cli import completion, options, show
from datasets_me.cli.run import Answer, Findings, verb
from datasets_me.core.choices import LabelField
from datasets_me.core.errors import plural

if TYPE_CHECKING:
    from datasets_me.folders.layouts import Inventory


@verb(
    "me-datasets check casme2-manifest --root CASME2 --format html -o report.html",
    formats=Findings,
    to_file=True,
    selects=True,
)
def check(
    select: list[str],
    ignore: list[str],
    manifest: Path = options.MANIFEST,
    root: Path = options.ROOT,
    deep: bool = typer.Option(False, "--deep", help="Decode every image, instead of the first of every folder."),
) -> Answer:
    """Compare the folders of frames with a manifest.

    Exit code 0: no errors among the findings reported. 1: there are errors. 2: could not run.
    """
    from datasets_me.folders import check as stage
    from datasets_me.formats import manifest as manifests

    annotated = manifests.read(manifest)
    with _progress() as (walking, looking):
        checked = stage.check(
            annotated, root, deep=deep, select=select, ignore=ignore, walking=walking, looking=looking
        )
    folders, files = len(checked.inventory.folders), checked.inventory.tree.files
    layouts = Counter(folder.layout.id for folder in checked.inventory.folders)
    of_each = ", ".join(f"{name} {count}" for name, count in sorted(layouts.items()))
    dataset = annotated.spec.id
    return Answer(
        findings=checked.findings,
        looked_at=f"{plural(files, 'file')} in {plural(folders, 'folder')} ({of_each})",
        each=True,
        documents=_documents(
            {"dataset": dataset, "root": str(root), "folders": folders, "files": files},
            f"{dataset}: folders against annotations",
        ),
    )


@contextmanager
def _progress() -> Iterator[tuple[Callable[[int, int], None], Callable[[Inventory], Callable[[int], None]]]]:
    """One bar: of the folders that are walked through, then of the images that are looked at."""
    with show.progress("folders") as update:

        def looking(inventory: Inventory) -> Callable[[int], None]:
            done, total = 0, sum(len(folder.frames.names) for folder in inventory.folders)

            def looked(count: int) -> None:
                nonlocal done
                done += count
                update(done, total, "images")

            return looked

        yield lambda folders, files: update(folders, note=plural(files, "file")), looking


def _documents(about: dict[str, Any], title: str) -> dict[str, Callable[[Any], str]]:
    from datasets_me.findings import report

    return {
        "json": lambda findings: report.to_json(findings, about),
        "sarif": report.to_sarif,
        "html": lambda findings: report.to_html(findings, title, about),
    }


@verb(
    "me-datasets check-split split casme2-manifest --features casme2-features --root CASME2",
    formats=Findings,
    to_file=True,
    selects=True,
)
def check_split(
    split: Path = typer.Argument(help="A split, made by 'me-datasets split'."),
    manifests: list[Path] = options.MANIFESTS,
    features: list[Path] = typer.Option(
        [], "--features", help="Compare clips by their features; one folder per manifest, in their order."
    ),
    root: list[Path] = typer.Option(
        [], "--root", help="Compare clips by their images; one folder of frames per manifest, in their order."
    ),
    classes: LabelField | None = typer.Option(
        None, "--classes", help="The classes that parts should have. Default: the split's."
    ),
) -> Answer:
    """Look for leaks: subjects, frames or copies of clips on both sides of a fold; and for parts that lack something.

    Exit code 0: no errors among the findings reported. 1: there are errors. 2: could not run.
    """
    from datasets_me.formats import manifest as manifest_files
    from datasets_me.formats import split as split_files
    from datasets_me.splits.leaks import find_leaks

    annotated = [manifest_files.read(folder) for folder in manifests]
    folds = split_files.read(split)
    leaks = find_leaks(folds, annotated, show.progress, features=features, roots=root, classes=classes)
    dealt = f"{plural(len(folds.folds), 'fold')} of {plural(leaks.items, folds.unit)}"
    about = {
        "split": str(split),
        "protocol": folds.protocol,
        "folds": len(folds.folds),
        "items": leaks.items,
        "datasets": ", ".join(manifest.spec.id for manifest in annotated),
    }
    return Answer(
        findings=leaks.findings,
        looked_at=", ".join([dealt, *leaks.compared]),
        each=True,
        documents=_documents(about, f"Split by {folds.protocol}: leaks"),
    )


@verb("me-datasets explain ME203")
def explain(
    code: str = typer.Argument(help="A code (ME203) or its name (folder-unknown).", autocompletion=completion.codes),
) -> Answer:
    """Say what a finding means, why it matters, and what to do about it."""
    from datasets_me.findings import codes, documentation

    entry = codes.explain(code)
    page = documentation.address(entry.code) or documentation.page(entry.code)
    group = codes.GROUPS[entry.code[2]]
    table = show.named(
        (entry.code, f"{entry.name} ({entry.severity}, {group}, raised by {entry.stage})"),
        ("what", entry.what),
        ("why it matters", entry.why),
        ("example", entry.example),
        ("what to do", entry.fix),
        ("page", page),
    )
    return Answer([table], data={**entry.model_dump(), "group": group, "page": page})
