"""``me-datasets split``: who trains and who is tested."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from datasets_me.cli import options, show
from datasets_me.cli.run import Answer, verb
from datasets_me.core.choices import LabelField, Protocol, Unit
from datasets_me.core.errors import plural

if TYPE_CHECKING:
    from datasets_me.formats.split import Split

_SHOWN = 8  # folds of a long table


@verb("me-datasets split casme2-manifest -o split --protocol loso")
def split(
    manifests: list[Path] = options.MANIFESTS,
    out: Path = options.OUT,
    protocol: Protocol = options.PROTOCOL,
    unit: Unit | None = options.UNIT,
    folds: int = options.FOLDS,
    test: float = options.TEST,
    validation: float = options.VALIDATION,
    stratify: LabelField | None = typer.Option(None, "--stratify", help="Spread these classes evenly over the folds."),
    only: Path = typer.Option(None, "--only", help="A published list of expressions (CSV: dataset, subject, clip)."),
    seed: int = typer.Option(0, "--seed", min=0, help="The same seed makes the same split."),
    decisions: list[Path] = options.DECISION_FOLDERS,
    force: bool = options.FORCE,
) -> Answer:
    """Split datasets into folds that never divide a subject.

    Exit code 0: written, whatever warnings there are. 1: written, and there are errors. 2: could not run.
    """
    from datasets_me.formats import split as split_files
    from datasets_me.splits.make import SplitOptions, make

    chosen = SplitOptions(protocol, unit, folds, test, validation, stratify, seed, only)
    dealt = make([options.read_manifest(folder, decisions) for folder in manifests], chosen)
    split_files.write(dealt, out, force=force)
    return Answer(
        [
            _table(dealt),
            "",
            f"{plural(len(dealt.folds), 'fold')} of {dealt.unit}s, protocol {dealt.protocol}, seed {dealt.seed}",
        ],
        list(dealt.findings),
        ending=[f"written to {out}"],
        data={"split": str(out), **split_files.about(dealt)},
    )


def _table(dealt: Split) -> show.Rows:
    from datasets_me.formats.split import PARTS

    table = show.Rows(None, "fold", *PARTS, "tested", right=PARTS)
    rows: dict[str, Counter[str]] = {}
    people: dict[tuple[str, str], set[str]] = {}
    for row in dealt.rows:
        rows.setdefault(row.fold, Counter())[row.part] += 1
        people.setdefault((row.fold, row.part), set()).add(row.subject)
    names = list(rows)
    for fold in names[:_SHOWN]:
        tested = sorted(people.get((fold, "test"), ()))
        listed = ", ".join(tested[:_SHOWN]) + (f" and {len(tested) - _SHOWN} more" if len(tested) > _SHOWN else "")
        table.add_row(fold, *(rows[fold][part] or "-" for part in PARTS), listed)
    if len(names) > _SHOWN:
        table.add_row("…", "", "", "", f"{len(names) - _SHOWN} more folds")
    return table
