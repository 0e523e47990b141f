"""The folder of a split: folds as data.

::

    splits.parquet    one row per fold, part and item: records.SplitRow
    split.json        how it was made, and the same folds: fold -> part -> dataset -> subject -> items
    findings.parquet  what was left out, and why

An item is one expression (the id of its annotation) or one whole video (its name). Rows stand in order of fold, part,
dataset and subject; the order of folds is part of the data.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal, get_args

from datasets_me.core import artefact
from datasets_me.core.errors import SplitError
from datasets_me.core.tables import arrow_schema, open_parquet, read_parquet, write_parquet
from datasets_me.findings.finding import Finding
from datasets_me.formats.kinds import SPLIT
from datasets_me.formats.records import SplitRow

Unit = Literal["expression", "video"]
LabelField = Literal["type", "emotion", "class_3", "class_5"]
LABELS: tuple[LabelField, ...] = ("type", "emotion", "class_3", "class_5")
Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")

Folds = dict[str, dict[str, dict[str, dict[str, list[str]]]]]
"""fold -> part -> dataset -> subject -> items."""

_FIELDS = set(SplitRow.model_fields)
_ABOUT, _ROWS, _FINDINGS = "split.json", "splits.parquet", "findings.parquet"


@dataclass(frozen=True)
class Split:
    """Folds, and how they were made.

    ``manifests`` has one entry per manifest, with ``dataset`` and its ``sources``; ``options`` is what the user chose.
    """

    protocol: str
    unit: Unit
    rows: tuple[SplitRow, ...]
    seed: int = 0
    findings: tuple[Finding, ...] = ()
    manifests: Sequence[dict[str, Any]] = ()
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def folds(self) -> list[str]:
        """The names of the folds, in order."""
        return list(self._parts)

    @cached_property
    def _parts(self) -> dict[str, dict[str, list[SplitRow]]]:
        parts: dict[str, dict[str, list[SplitRow]]] = {}
        for row in self.rows:
            parts.setdefault(row.fold, {}).setdefault(row.part, []).append(row)
        return parts

    def part(self, fold: str, part: Part) -> list[SplitRow]:
        """The rows of one part of one fold; empty where there are none.

        Raises:
            SplitError: there is no such fold.
        """
        if fold not in self._parts:
            known = self.folds
            raise SplitError(
                f"the split has no fold '{fold}'",
                fix=f"its folds are {', '.join(known[:8])}" + (", …" if len(known) > 8 else ""),
            )
        return list(self._parts[fold].get(part, ()))


def write(split: Split, folder: Path, *, force: bool = False) -> None:
    """Write a split. The same split gives the same bytes.

    Raises:
        OutputError: the folder exists and may not be replaced.
        WriteError: it cannot be written.
    """
    with artefact.new_folder(folder, SPLIT, force=force) as new:
        write_parquet(SplitRow, split.rows, new.path / _ROWS)
        write_parquet(Finding, split.findings, new.path / _FINDINGS)
        new.about.update(about(split))


def read(folder: Path) -> Split:
    """Read the folder of a split.

    Raises:
        SplitError: there is none, it is damaged, a newer version wrote it, or its two files have other folds.
    """
    content = artefact.read_about(folder, SPLIT)
    try:
        split = Split(
            protocol=content["protocol"],
            unit=content["unit"],
            rows=tuple(_read_rows(folder / _ROWS)),
            seed=content["seed"],
            findings=tuple(read_parquet(Finding, folder / _FINDINGS)),
            manifests=list(content["manifests"]),
            options=dict(content["options"]),
        )
        _check(split)
        differs = _difference(_folds(split.rows), content["folds"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SplitError(
            f"the split is damaged: {error}", where=str(folder), fix="make it again with me-datasets split"
        ) from error
    if differs:
        raise SplitError(
            f"{_ABOUT} and {_ROWS} differ: {differs}", where=str(folder), fix="make the split again, do not edit it"
        )
    return split


def about(split: Split) -> dict[str, Any]:
    """The content of ``split.json``."""
    return {
        "protocol": split.protocol,
        "unit": split.unit,
        "seed": split.seed,
        "options": split.options,
        "manifests": list(split.manifests),
        "folds": _folds(split.rows),
    }


def row_of(fold: str, part: Part, dataset: str, subject: str, video: str, annotation: str | None) -> SplitRow:
    """A row from values that are known to be right; a large split has millions, and checking each would take long."""
    return SplitRow.model_construct(
        _FIELDS, fold=fold, part=part, dataset=dataset, subject=subject, video=video, annotation=annotation
    )


def _folds(rows: Iterable[SplitRow]) -> Folds:
    """The folds as ``split.json`` has them."""
    folds: Folds = {}
    for (fold, part, dataset, subject), group in groupby(rows, attrgetter("fold", "part", "dataset", "subject")):
        subjects = folds.setdefault(fold, {}).setdefault(part, {}).setdefault(dataset, {})
        subjects.setdefault(subject, []).extend(row.annotation or row.video for row in group)
    return folds


def _check(split: Split) -> None:
    """Check the description of a split.

    Raises:
        ValueError: a value is not one that this package writes.
    """
    if not isinstance(split.protocol, str):
        raise ValueError(f"the protocol is {split.protocol!r}")
    if split.unit not in get_args(Unit):
        raise ValueError(f"the unit is {split.unit!r}, which is not one of {', '.join(get_args(Unit))}")
    stratify = split.options.get("stratify")
    if stratify is not None and stratify not in LABELS:
        raise ValueError(f"it is stratified by {stratify!r}, which is not one of {', '.join(LABELS)}")


def _difference(rows: Folds, described: Folds) -> str | None:
    """The first item that only the table or only ``split.json`` has in a part, in words; the order does not count.

    Raises:
        TypeError, AttributeError: ``split.json`` does not contain folds.
    """
    if rows == described:
        return None
    for fold in dict.fromkeys([*rows, *described]):
        if rows.get(fold) == described.get(fold):
            continue
        table, text = _counted(rows.get(fold, {})), _counted(described.get(fold, {}))
        for file, more in ((_ROWS, table - text), (_ABOUT, text - table)):
            for part, dataset, subject, item in more:
                return f"in {part} of fold '{fold}', only {file} has {item}, of {subject} of {dataset}"
    return None


def _counted(parts: dict[str, dict[str, dict[str, list[str]]]]) -> Counter[tuple[str, str, str, str]]:
    return Counter(
        (part, dataset, subject, item)
        for part, datasets in parts.items()
        for dataset, subjects in datasets.items()
        for subject, members in subjects.items()
        for item in members
    )


def _read_rows(path: Path) -> Iterator[SplitRow]:
    """The rows of a table. Equal texts share one object, since there are few and each occurs in every fold.

    Raises:
        OSError, ValueError: the file cannot be read, or is not such a table.
    """
    with open_parquet(path) as file:
        table = file.read(use_threads=False)
    if not table.schema.equals(arrow_schema(SplitRow)):
        raise ValueError(f"{path.name} has other columns")
    texts: dict[str | None, str | None] = {}
    columns = [[texts.setdefault(text, text) for text in table[name].to_pylist()] for name in SplitRow.model_fields]
    if not set(columns[1]) <= set(PARTS):
        raise ValueError(f"{path.name} has other parts than {', '.join(PARTS)}")
    yield from map(row_of, *columns)
