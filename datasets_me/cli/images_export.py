"""``me-datasets images export``: a set of images to what training scripts read."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from datasets_me.cli import arguments, show
from datasets_me.core.errors import MeDatasetsError, plural

if TYPE_CHECKING:
    from datasets_me.findings.finding import Finding
    from datasets_me.formats.image_set import ImageSet
    from datasets_me.images.export.plan import Plan


class KeepOne(StrEnum):
    """The copy that stays."""

    largest = "largest"
    sharpest = "sharpest"
    agrees = "agrees"


class Format(StrEnum):
    """What is written."""

    folders = "folders"
    csv = "csv"
    webdataset = "webdataset"


def export(
    images: Path = typer.Argument(help="A set of images, made by 'me-datasets images import'."),
    out: Path = typer.Option(..., "-o", "--out", help="The folder to write."),
    kind: Format = typer.Option(Format.folders, "--format", help="A folder per class, a CSV, or shards of WebDataset."),
    root: Path = typer.Option(None, "--root", help="The folder under which the files lie: the one that was imported."),
    split: str = typer.Option(
        "own", "--split", help="The set's own, or shares of train, validation and test: 0.8,0.1,0.1."
    ),
    seed: int = typer.Option(0, "--seed", help="Decides a split by shares; the same seed, the same split."),
    decisions: Path = typer.Option(None, "--decisions", help="The decisions; by default decisions.parquet of the set."),
    exclude: list[str] = typer.Option(
        [], "--exclude", help="Leave out images with these findings: ME710,ME716. Of copies (ME712) one stays."
    ),
    keep_one: KeepOne = typer.Option(
        None,
        "--keep-one",
        help="Of near-duplicates, keep the largest, the sharpest, or one whose label an audit agrees with.",
    ),
    by_audit: bool = typer.Option(
        False,
        "--by-audit",
        help="Sort the whole set into unsubmitted, unrecognised, agree and disagree/<label>-<predicted>.",
    ),
    link: bool = typer.Option(False, "--link", help="Symbolic links to the originals instead of copies."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Say what would be written and left out, and write nothing."),
    force: bool = arguments.FORCE,
) -> None:
    """Write copies for training, with decisions applied; near-duplicates and subjects never straddle a new split.

    What is left out stands in left_out.csv with the reason, and in remove.txt as bare paths. Originals are never moved.
    Exit code 0: no errors among the findings. 1: there are some; the rest is written. 2: could not run.
    """
    from datasets_me.formats import image_set
    from datasets_me.images.export.plan import plan
    from datasets_me.images.export.write import write

    images_read = image_set.read(images)
    if link and kind is not Format.folders:
        raise MeDatasetsError("only folders hold links", fix="leave --link out, or give --format folders")
    if by_audit:
        if exclude or keep_one or decisions or dry_run or split != "own" or kind is not Format.folders:
            raise MeDatasetsError(
                "--by-audit sorts the whole set as it is",
                fix="leave out all other options but --root, --link and --force",
            )
        _sorted_by_audit(images_read, out, root, link, force)
        return
    codes = [code.strip() for text in exclude for code in text.split(",") if code.strip()]
    chosen: Any = keep_one.value if keep_one else None
    planned = plan(images_read, split=split, seed=seed, decisions=decisions, exclude=codes, keep_one=chosen)
    findings = planned.findings
    if not dry_run:
        options: dict[str, object] = {"split": split, "seed": seed, "exclude": codes, "keep_one": chosen}
        with show.progress("images") as update:
            on_the_way = write(
                images_read,
                planned,
                out,
                kind.value,
                root=root,
                link=link,
                options=options,
                progress=update,
                force=force,
            )
        findings = [*findings, *on_the_way]
    _show(planned)
    gone = sum(finding.code == "ME740" for finding in findings)
    last = "nothing is written" if dry_run else f"{plural(len(planned.rows) - gone, 'image')} written to {out}"
    _finish(findings, last)


def _sorted_by_audit(images: ImageSet, out: Path, root: Path | None, link: bool, force: bool) -> None:
    from datasets_me.formats.image_records import STATES
    from datasets_me.images.export.by_audit import sort_by_audit

    with show.progress("images") as update:
        counts, findings = sort_by_audit(images, out, root=root, link=link, progress=update, force=force)
    table = show.table(None, "label", "images", *STATES, right=["images", *STATES])
    for label in sorted({label for each in counts.values() for label in each}):
        numbers = [counts[state][label] if state in counts else 0 for state in STATES]
        table.add_row(label, f"{sum(numbers):,}", *(f"{number:,}" for number in numbers))
    show.console().print(table)
    _finish(findings, f"{plural(sum(each.total() for each in counts.values()), 'image')} written to {out}")


def _show(plan: Plan) -> None:
    from datasets_me.schema.images import SPLITS

    console = show.console()
    table = show.table(None, "split", "images", *plan.classes, right=["images", *plan.classes])
    for part in [name for name in (*SPLITS, "") if any((row.split or "") == name for row in plan.rows)]:
        labels = [row.label for row in plan.rows if (row.split or "") == part]
        table.add_row(part or "-", f"{len(labels):,}", *(f"{labels.count(name):,}" for name in plan.classes))
    console.print(table)
    for reason, count in plan.left_out.items():
        console.print(f"left out: {plural(count, 'image')}, {reason}")


def _finish(findings: Sequence[Finding], last: str) -> None:
    from datasets_me.findings.summary import by_code

    console = show.console()
    if findings:
        console.print()
        console.print(show.findings_by_code(by_code(findings)))
    console.print("", last)
    raise typer.Exit(1 if any(finding.severity == "error" for finding in findings) else 0)
