"""What a person decided about images: a table of its own, so that the images and their labels stay as they are."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from datasets_me.core import tables
from datasets_me.core.errors import ImagesError
from datasets_me.core.paths import name_fault
from datasets_me.core.tables import Record, write_parquet
from datasets_me.formats import decisions as decision_files
from datasets_me.formats.image_records import ImageRow
from datasets_me.formats.image_set import ImageSet
from datasets_me.formats.kinds import IMAGE_SET

FILE = "decisions.parquet"
"""The table's name, where it lies in the set's folder."""

Verdict = Literal["accept", "relabel", "exclude"]


class Decision(Record):
    """One image: ``accept`` leaves it as it is, ``relabel`` gives it ``label``, ``exclude`` leaves it out of exports.

    ``sha256`` is that of the image when it was looked at, ``label_was`` its label then, so that a decision about
    another picture of the same name is known as such. ``made_from`` are the checksums of the images that it was made
    from, for which the decision holds, too. ``doubts`` are the codes for which it was shown. ``new_class`` says that
    ``label`` was given on purpose though the schema does not have it, such as ``dirty``.
    """

    id: str
    dataset: str
    sha256: str | None = None
    made_from: list[str] = Field(default_factory=list)
    decision: Verdict
    label_was: str | None = None
    label: str | None = None
    doubts: list[str] = Field(default_factory=list)
    new_class: bool = False


def decision_about(
    row: ImageRow,
    verdict: Verdict,
    label: str | None = None,
    *,
    doubts: Iterable[str] = (),
    new_class: bool = False,
) -> Decision:
    """A decision about an image as it is now; ``label`` where the verdict is ``relabel``."""
    return Decision(
        id=row.id,
        dataset=row.dataset,
        sha256=row.sha256,
        made_from=originals(row),
        decision=verdict,
        label_was=row.label,
        label=label if verdict == "relabel" else None,
        doubts=sorted(set(doubts)),
        new_class=new_class and verdict == "relabel",
    )


def in_general(decision: Decision) -> decision_files.Decision:
    """A decision about an image in the words of those about videos, in which both are listed and compared."""
    about: dict[str, Any] = {
        "id": decision.id,  # there is one decision about an image
        "dataset": decision.dataset,
        "image": decision.id,
        "source": decision.sha256,
        "cells": {} if decision.label_was is None else {"label": decision.label_was},
    }
    if decision.decision != "relabel":
        return decision_files.Decision(action=decision.decision, **about)
    fields = {"column": "label", "old": decision.label_was or "", "new": decision.label or ""}
    return decision_files.Decision(action="correct", **fields, **about)


def read_in_general(path: Path) -> list[decision_files.Decision] | None:
    """The decisions of a set of images, or of a table of them, by `in_general`; None where a path is neither.

    Raises:
        MeDatasetsError: the table is damaged, or is none of decisions.
    """
    file = path / FILE if (path / IMAGE_SET.about).is_file() else path
    if file == path and path.suffix != ".parquet":
        return None
    if not file.is_file() and file != path:
        return []
    return [in_general(row) for batch in tables.batches(file, Decision) for row in batch]


def may_label(images: ImageSet, decision: Decision) -> bool:
    """Whether the label that a decision gives is one of the set's, or a new class that can be the name of a folder."""
    if decision.label is None:
        return False
    return decision.label in images.spec.labels or (decision.new_class and name_fault(decision.label) is None)


def check_new_class(images: ImageSet, name: str) -> None:
    """Refuse a new class that is none.

    Raises:
        ImagesError: a label of the set goes by this name, or it cannot be the name of a folder.
    """
    if (label := images.spec.label_of(name)) is not None:
        raise ImagesError(f"'{name}' is the set's label {label}", fix=f"give --label {label}")
    if (fault := name_fault(name)) is not None:
        raise ImagesError(f"the class {name!r} cannot be the name of a folder: {fault}", fix="give it another name")


def originals(row: ImageRow) -> list[str]:
    """The checksums of the images that one was made from."""
    return [origin.sha256 for origin in row.origins if origin.sha256 is not None]


def holds(decision: Decision, row: ImageRow) -> bool:
    """Whether a decision is about the picture of an image of its id: the same one, a copy of it, or its original."""
    if decision.sha256 == row.sha256:
        return True
    return not {decision.sha256, *decision.made_from}.isdisjoint({row.sha256, *originals(row)} - {None})


def path_of(images: ImageSet, elsewhere: Path | None = None) -> Path:
    """Where the decisions of a set lie: ``elsewhere``, or the file in the set's folder."""
    return elsewhere or images.folder / FILE


def read(images: ImageSet, elsewhere: Path | None = None) -> dict[str, Decision]:
    """The decisions about a set by image id; none where there is no file yet.

    Raises:
        MeDatasetsError: a file was given and is not there; or it is damaged, holds something else, or an image twice.
    """
    path = path_of(images, elsewhere)
    if not path.is_file():
        if elsewhere is not None and not path.parent.is_dir():
            raise ImagesError("there is no such folder", where=str(path.parent))
        return {}
    verdicts: dict[str, Decision] = {}
    for batch in tables.batches(path, Decision):
        for row in batch:
            if row.dataset == images.dataset and row.id in verdicts:
                raise ImagesError(f"two decisions about {row.id}", where=str(path))
            if row.dataset == images.dataset:
                verdicts[row.id] = row
    return verdicts


def write(images: ImageSet, decisions: Iterable[Decision], elsewhere: Path | None = None) -> Path:
    """Write the decisions at once, in order of the ids; returns where.

    Raises:
        MeDatasetsError: the file cannot be written; what was there before stays.
    """
    path = path_of(images, elsewhere)
    rows = {row.id: row for row in decisions}
    write_parquet(Decision, [rows[name] for name in sorted(rows)], path)
    return path
