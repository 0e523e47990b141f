"""One decision about every image with a finding: counted first, then saved, and taken back if need be.

What a person decided about a single image stays. Each run keeps what it changed in a table of its own beside the
decisions (``decisions-undo-0001.parquet``), from which the last one is taken back.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from datasets_me.core.errors import ImagesError
from datasets_me.core.locks import locked
from datasets_me.core.tables import batches, write_parquet
from datasets_me.formats import image_tables
from datasets_me.formats.image_records import AuditRow, DuplicateRow
from datasets_me.formats.image_set import ImageSet
from datasets_me.images import decisions as deciding
from datasets_me.images.decisions import Decision, Verdict, decision_about
from datasets_me.images.export.exclude import COPIES, named_by, selected

PREDICTED = "predicted"
"""The label of each image that an audit predicts for it."""


@dataclass(frozen=True)
class Bulk:
    """Decisions that would be made, in order of the set, and how many images stay as they are, by reason."""

    decisions: list[Decision]
    unchanged: Counter[str]


def bulk(
    images: ImageSet,
    codes: Sequence[str],
    verdict: Verdict,
    label: str | None = None,
    *,
    new_class: bool = False,
    decisions: Path | None = None,
) -> Bulk:
    """The decisions about all images with one of these findings; nothing is saved.

    Of near-duplicates (ME712 to ME714) that are to be excluded, the one that ``images duplicates`` suggests stays.

    Args:
        images: the set.
        codes: codes of findings, or beginnings of codes.
        verdict: what is decided.
        label: for ``relabel``, a label of the set, `PREDICTED`, or with ``new_class`` a class that it does not have.
        new_class: the label is a class that the schema does not have.
        decisions: the file of decisions; that in the set's folder by default.

    Raises:
        MeDatasetsError: a code selects nothing, the label is none of the set's, or a table is missing or damaged.
    """
    if verdict == "relabel" and new_class:
        deciding.check_new_class(images, label or "")
    elif verdict == "relabel" and label != PREDICTED and label not in images.spec.labels:
        fix = f"it has: {', '.join(images.spec.labels)}; or give --new-class"
        raise ImagesError(f"'{label}' is no label of the set", fix=fix)
    named = named_by(images, selected(codes))
    decided = deciding.read(images, decisions)
    keepers = _keepers(images) if verdict == "exclude" else set()
    predicted = _predicted(images) if label == PREDICTED and not new_class else None
    plan, unchanged = [], Counter[str]()
    for row in images.rows(pixels=False):
        if row.id not in named:
            continue
        code = named[row.id].code
        new = label if predicted is None else predicted.get(row.id)
        if row.id in decided:
            unchanged["decided already"] += 1
        elif code in COPIES and row.id in keepers:
            unchanged["the copy that stays"] += 1
        elif verdict == "relabel" and not new_class and new not in images.spec.labels:
            unchanged["no label of the set is predicted"] += 1
        else:
            plan.append(decision_about(row, verdict, new, doubts=[code], new_class=new_class))
    return Bulk(plan, unchanged)


def save(images: ImageSet, plan: Bulk, decisions: Path | None = None) -> Path:
    """Save the decisions of a plan; returns the table from which they can be taken back.

    Raises:
        ImagesError: somebody decided about one of the images meanwhile; nothing is saved.
        WriteError: a file cannot be written.
    """
    path = deciding.path_of(images, decisions)
    with locked(path):
        decided = deciding.read(images, decisions)
        if meanwhile := [each.id for each in plan.decisions if each.id in decided]:
            raise ImagesError(f"{meanwhile[0]} was decided meanwhile", where=str(path), fix="run the command again")
        number = max((int(each.stem[-4:]) for each in _undo_files(path)), default=0) + 1
        undo_file = path.with_name(f"{path.stem}-undo-{number:04}.parquet")
        write_parquet(Decision, plan.decisions, undo_file)
        deciding.write(images, [*decided.values(), *plan.decisions], decisions)
    return undo_file


def undo(images: ImageSet, decisions: Path | None = None) -> tuple[int, list[str]]:
    """Take the last saved plan back; returns how many decisions, and the images that were decided anew since.

    Raises:
        ImagesError: there is nothing to take back.
        WriteError: a file cannot be written.
    """
    path = deciding.path_of(images, decisions)
    with locked(path):
        files = _undo_files(path)
        if not files:
            fix = "only what images decide saved can be taken back; images review has a key for single images"
            raise ImagesError("there is nothing to take back", where=str(path.parent), fix=fix)
        decided = deciding.read(images, decisions)
        saved = [decision for rows in batches(files[-1], Decision) for decision in rows]
        since = [decision.id for decision in saved if decided.get(decision.id) != decision]
        for name in {decision.id for decision in saved} - set(since):
            del decided[name]
        deciding.write(images, decided.values(), decisions)
        files[-1].unlink()
    return len(saved) - len(since), since


def _undo_files(path: Path) -> list[Path]:
    name = re.compile(rf"{re.escape(path.stem)}-undo-\d{{4}}\.parquet")
    return sorted(each for each in path.parent.iterdir() if name.fullmatch(each.name)) if path.parent.is_dir() else []


def _keepers(images: ImageSet) -> set[str]:
    if not (images.folder / "duplicates.parquet").is_file():
        return set()
    rows = image_tables.read_table(images, "duplicates", DuplicateRow)
    return {row.id for row in rows if row.dataset == images.dataset and row.keeper}


def _predicted(images: ImageSet) -> Mapping[str, str | None]:
    rows = image_tables.read_table(images, "audit", AuditRow)
    return {row.id: row.suggested or row.predicted for row in rows}
