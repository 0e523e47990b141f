"""``me-datasets synth``: a dataset whose truth is known."""

from __future__ import annotations

from pathlib import Path

import typer

from datasets_me.commands import arguments


def synth(
    dataset: str = arguments.DATASET,
    out: str = typer.Argument(None, help="The folder to make; it must be new or empty."),
    seed: int = typer.Option(0, "--seed", help="The same seed makes the same files."),
    subjects: int = typer.Option(6, "--subjects", min=1, help="How many people."),
    defects: str = typer.Option(
        "none", "--defects", help="'none', 'all' that the dataset can have, or codes: ME103,ME301."
    ),
    schema: Path = arguments.SCHEMA,
) -> None:
    """Make a synthetic dataset: a workbook in the raw shape, folders in the real layouts, defects on request.

    Beside them lie schema.yaml, the schema with the counts of this set, and truth.json, every finding that convert
    and check have to make.
    """
    from datasets_me.commands import show
    from datasets_me.synthetic.write import PLANTABLE, make

    chosen, folder = arguments.schema_and_rest(schema, dataset, out, "OUT")
    wanted = {"none": (), "all": PLANTABLE}.get(defects.casefold())
    if wanted is None:
        wanted = tuple(code.strip().upper() for code in defects.split(",") if code.strip())
    with show.progress("folders") as update:
        made = make(
            chosen,
            Path(folder),
            seed=seed,
            subjects=subjects,
            defects=wanted,
            as_fits=wanted is PLANTABLE,
            progress=update,
        )
    console = show.console()
    show.lines(
        console,
        ("workbook", made.workbook),
        ("frames", f"{made.root} ({made.frames:,} files)"),
        ("schema", made.schema),
        ("truth", made.truth),
        ("planted", ", ".join(made.planted) or "nothing"),
    )
    if made.impossible:
        show.lines(console, ("not in this set", ", ".join(made.impossible)))
