"""``me-datasets split``: who trains and who is tested."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from datasets_me.cli import arguments, show

if TYPE_CHECKING:
    from datasets_me.formats.split import Split

MANIFESTS = typer.Argument(help="Manifest folders, made by 'me-datasets convert'; several to join or cross datasets.")
FOLDS = typer.Option(5, "--folds", help="How many folds kfold makes.")
TEST = typer.Option(0.2, "--test", help="The part of the subjects that holdout tests.")
VALIDATION = typer.Option(
    0.0, "--validation", help="The part of each fold's training subjects to set aside as a validation part."
)


class Protocol(StrEnum):
    """Who trains and who is tested."""

    loso = "loso"
    kfold = "kfold"
    holdout = "holdout"
    cross_dataset = "cross-dataset"
    megc2019 = "megc2019"


class Unit(StrEnum):
    """What is dealt out."""

    expression = "expression"
    video = "video"


class Label(StrEnum):
    """The classes of expressions."""

    type = "type"
    emotion = "emotion"
    class_3 = "class_3"
    class_5 = "class_5"


_PROTOCOL = (
    "loso: each subject is tested once, alone. kfold: in --folds groups. holdout: some are tested. cross-dataset: "
    "train on one dataset, test on another, in every order. megc2019: the composite of three databases with three "
    "classes, each subject tested alone."
)


def split(
    manifests: list[Path] = MANIFESTS,
    out: Path = typer.Option(..., "-o", "--out", help="The folder to write."),
    protocol: Protocol = typer.Option(Protocol.loso, "--protocol", help=_PROTOCOL),
    unit: Unit = typer.Option(
        None,
        "--unit",
        help="Deal out expressions (recognition) or whole videos (spotting). Default: videos; megc2019: expressions.",
    ),
    folds: int = FOLDS,
    test: float = TEST,
    validation: float = VALIDATION,
    stratify: Label = typer.Option(None, "--stratify", help="Spread these classes evenly over the folds."),
    only: Path = typer.Option(None, "--only", help="A published list of expressions (CSV: dataset, subject, clip)."),
    seed: int = typer.Option(0, "--seed", min=0, help="The same seed makes the same split."),
    force: bool = arguments.FORCE,
) -> None:
    """Split datasets into folds that never divide a subject."""
    from datasets_me.core.errors import plural
    from datasets_me.findings.codes import all_codes
    from datasets_me.formats import manifest as manifest_files
    from datasets_me.formats import split as split_files
    from datasets_me.splits.make import Options, make

    options = Options(
        protocol=protocol.value,
        unit=unit.value if unit else None,
        folds=folds,
        test=test,
        validation=validation,
        stratify=stratify.value if stratify else None,
        seed=seed,
        only=only,
    )
    made = make([manifest_files.read(folder) for folder in manifests], options)
    split_files.write(made, out, force=force)
    _show(made)
    for code, count in sorted(Counter(finding.code for finding in made.findings).items()):
        first = next(finding.message for finding in made.findings if finding.code == code)
        show.echo(f"{code} {all_codes()[code].name}: {plural(count, 'finding')}; {first}")
    show.echo(f"written to {out}")


_SHOWN = 8  # folds of a long table


def _show(made: Split) -> None:
    from datasets_me.formats.split import PARTS

    out = show.console()
    table = show.table(None, "fold", *PARTS, "tested", right=PARTS)
    rows: dict[str, Counter[str]] = {}
    people: dict[tuple[str, str], set[str]] = {}
    for row in made.rows:
        rows.setdefault(row.fold, Counter())[row.part] += 1
        people.setdefault((row.fold, row.part), set()).add(row.subject)
    names = list(rows)
    for fold in names[:_SHOWN]:
        tested = sorted(people.get((fold, "test"), ()))
        listed = ", ".join(tested[:_SHOWN]) + (f" and {len(tested) - _SHOWN} more" if len(tested) > _SHOWN else "")
        table.add_row(fold, *(str(rows[fold][part] or "-") for part in PARTS), listed)
    if len(names) > _SHOWN:
        table.add_row("…", "", "", "", f"{len(names) - _SHOWN} more folds")
    out.print(table)
    out.print("", f"{len(names)} folds of {made.unit}s, protocol {made.protocol}, seed {made.seed}")
