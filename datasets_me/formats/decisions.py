"""What a person decided about a dataset: a folder of its own beside the manifest, to which decisions are only added.

::

    decisions.json  decisions.jsonl

Each line of the table is a `Decision`. None is ever changed or removed: a later one supersedes an earlier one about the
same thing, and one that ``undoes`` another takes it back. `standing` gives those that count.

Lines are added under a lock, and are on the disk when `append` returns. What a killed writer left of a line was never
confirmed; it is named as a finding (ME133) and kept out.
"""

from __future__ import annotations

import json
import math
import os
import secrets
from collections.abc import Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator

from datasets_me.core.artefact import claim, header, read_about, write_file
from datasets_me.core.errors import DecisionsError, OutputError, Place, WriteError
from datasets_me.core.files import open_own
from datasets_me.core.locks import locked
from datasets_me.core.rates import ratio
from datasets_me.core.tables import Record
from datasets_me.core.text import same
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats.frame_files import frame_rate, known_span
from datasets_me.formats.kinds import DECISIONS
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation
from datasets_me.schema.spec import FIELDS_OF_A_ROW, FRAME_FIELDS, RelativePath, RowKey

FOLDER = "decisions"
"""The usual name of the folder."""

TABLE = "decisions.jsonl"

Action = Literal["accept", "correct", "exclude", "relocate", "note", "undo"]

CORRECTABLE = tuple(column for column in FIELDS_OF_A_ROW if column != "fps")
"""The columns of a row that a decision can correct."""

Text = Annotated[str, Field(max_length=9_000), AfterValidator(lambda text: text.encode(errors="replace").decode())]


class Decision(Record):
    """One decision, in the words of a schema's corrections, relocations and exclusions.

    What it is about:

    - a row of the workbook: ``subject``, ``video``, ``expression``, and the text ``onset`` of its onset, tell it from
      others; ``file``, ``sheet`` and ``row`` say where it was, and decide between rows that are otherwise alike;
    - a whole ``video``, where there is no ``row``;
    - a finding: its ``code`` with the row, the video and the ``path`` that it names, and in ``column`` the cell; its
      ``message`` tells those from others that name nothing. Without a ``path``, it is about each such finding of the
      row, whatever folder that names;
    - an ``image`` of a set of images, by its id.

    What it says: ``correct`` gives the cell in ``column`` the text ``new`` in place of ``old``, both as the workbook
    writes them; ``exclude`` leaves the row, the video or the image out; ``accept`` leaves everything as it is;
    ``relocate`` says that the folder ``found`` in a ``layout`` is the one that ``belongs`` elsewhere; ``note`` only
    remarks; ``undo`` takes the decision ``undoes`` back. ``old`` of an accepted finding is what the finding found.

    ``cells`` are the texts of the row, by column, and ``source`` is the SHA-256 of the workbook, or of the image, that
    was looked at. Decisions that were saved together share a ``batch``. ``who`` and ``when`` are recorded only where
    that is asked for.
    """

    id: Text = Field(default_factory=lambda: secrets.token_hex(8), min_length=1)
    action: Action
    dataset: Text
    subject: Text | None = None
    video: Text | None = None
    expression: Text | None = None
    onset: Text | None = None
    file: Text | None = None
    sheet: Text | None = None
    row: int | None = Field(None, ge=1)
    path: Text | None = None
    image: Text | None = None
    code: Text | None = None
    message: Text | None = None
    column: Text | None = None
    old: Text | None = None
    new: Text | None = None
    layout: Text | None = None
    found: RelativePath | None = None
    belongs: RelativePath | None = None
    note: Text | None = None
    cells: dict[Text, Text] | None = None
    source: Text | None = None
    batch: Text | None = None
    undoes: Text | None = None
    who: Text | None = None
    when: Text | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        missing = [name for name in _NEEDED[self.action] if getattr(self, name) is None]
        if missing:
            raise ValueError(f"'{self.action}' needs {' and '.join(missing)}")
        if self.action == "accept" and not (self.about or self.code):
            raise ValueError("'accept' needs a row, a video, a path, an image or a code")
        if self.action == "exclude" and self.video is None and self.image is None:
            raise ValueError("'exclude' needs a video, or an image")
        if self.action == "correct" and self.image is None and (self.row is None or self.column not in CORRECTABLE):
            raise ValueError(f"'correct' needs a row, and one of the columns {', '.join(CORRECTABLE)}")
        return self

    @property
    def of_annotation(self) -> bool:
        """Whether it is about a row that is an annotation.

        A finding may also be about a row that became none, or about a line of a file of predictions: all that is known
        of those is a number.
        """
        known = self.onset is not None or self.expression is not None or self.cells is not None
        return self.row is not None and (self.action == "correct" or known)

    @property
    def about(self) -> str:
        """What it is about, in a few words; ``""`` where it names nothing."""
        where = self.video if self.of_annotation else None
        row = f"row {self.row} of {where or self.sheet or self.file}" if self.row else ""
        return row or self.video or self.image or self.path or self.found or ""

    @property
    def cell(self) -> dict[str, str]:
        """What the cell that it is about said, by its column; empty where it is about none of ``cells``."""
        return {column: text for column, text in (self.cells or {}).items() if column == self.column}

    @property
    def told_by(self) -> Hashable:
        """What tells the row, the video or the image that it is about from others."""
        return (self.dataset, self.subject, self.video, self.expression, self.onset, self.row, self.image)

    @property
    def finding(self) -> tuple[str | None, ...]:
        """What tells the finding that it is about from others about the same row, video or folder."""
        return (self.code, self.column, self.old, None if self.about else self.message)

    def place(self) -> Place:
        """Where in the workbook the row was."""
        return Place(self.file, self.sheet, self.row)

    def key(self) -> Hashable:
        """What a later decision has in common with this one if it supersedes it; notes stand beside each other."""
        file = None if self.of_annotation else self.file
        row = (self.subject, self.video, self.expression, file, self.sheet, self.row)
        about = (self.dataset, *row, self.path, self.image)
        match self.action:
            case "correct":
                return (*about, "correct", self.column)
            case "relocate":
                return (self.dataset, "relocate", self.layout, self.found)
            case "accept" | "exclude":
                return (*about, "verdict", *self.finding)
        return self.id


_NEEDED: dict[Action, tuple[str, ...]] = {
    "accept": (),
    "correct": ("column", "old", "new"),
    "exclude": (),
    "relocate": ("layout", "found", "belongs"),
    "note": ("note",),
    "undo": ("undoes",),
}


@dataclass(frozen=True)
class Decisions:
    """All decisions of a folder in the order in which they were made, and findings about lines that are none."""

    rows: tuple[Decision, ...]
    findings: tuple[Finding, ...] = ()


def beside(manifest: Path) -> Path:
    """Where the decisions about a manifest, or about a set of images, usually lie: in ``decisions/`` beside it."""
    return Path(os.path.normpath(manifest / ".." / FOLDER))  # by name: a link to a manifest has decisions of its own


def check_place(folder: Path) -> None:
    """Refuse a place that cannot become a folder of decisions.

    Raises:
        OutputError: something else lies there.
    """
    # what a killed writer has left is hidden
    taken = not folder.is_dir() or any(not each.name.startswith(".") for each in folder.iterdir())
    if os.path.lexists(folder) and taken and not (folder / DECISIONS.about).is_file():
        raise _taken(folder)


def _taken(folder: Path) -> OutputError:
    return OutputError(
        "this is not a folder of decisions, and something lies there already",
        where=str(folder),
        fix="give the folder of decisions, or one that does not exist yet, with --decisions",
    )


def append(folder: str | Path, decisions: Sequence[Decision]) -> None:
    """Add decisions to a folder, which is made if there is none. They are on the disk when this returns.

    Raises:
        OutputError: the place is taken by something else.
        DecisionsError: the folder is damaged, or a newer version wrote it.
        WriteError: it cannot be written; nothing has been added then.
    """
    folder, lines = Path(folder), b"".join(_line(decision) for decision in decisions)
    with locked(folder):
        try:
            is_there = claim(folder, DECISIONS)
        except OutputError as error:
            raise _taken(folder) from error
        if is_there:
            read_about(folder, DECISIONS)
        else:
            write_file(folder / DECISIONS.about, json.dumps(header(DECISIONS), indent=2).encode() + b"\n")
            write_file(folder / TABLE, b"")
        try:
            _add(folder / TABLE, lines)
        except OSError as error:
            raise WriteError(
                f"the decisions cannot be saved: {error.strerror or error}", where=str(folder / TABLE)
            ) from error


def _line(decision: Decision) -> bytes:
    return decision.model_dump_json(exclude_none=True).encode() + b"\n"


def _add(table: Path, lines: bytes) -> None:
    """Write lines to the end of a table, all or none of them; a torn line that is there is ended first."""
    with open_own(table, os.O_RDWR | os.O_CREAT) as file:
        end = file.seek(0, os.SEEK_END)
        if end:
            file.seek(end - 1)
            lines = lines if file.read(1) == b"\n" else b"\n" + lines
        try:
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            os.ftruncate(file.fileno(), end)
            raise


def read(folder: str | Path) -> Decisions:
    """The decisions of a folder.

    Raises:
        DecisionsError: there is no such folder, its table is missing, or a newer version wrote it.
    """
    folder = Path(folder)
    read_about(folder, DECISIONS)
    content = _content(folder)
    if content and not content.endswith(b"\n"):
        # Another process may be writing the last line at this moment; in a folder that nobody can write to, none is.
        with suppress(WriteError), locked(folder):
            content = _content(folder)
    rows: list[Decision] = []
    findings: list[Finding] = []
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not line:
            continue
        try:
            rows.append(Decision.model_validate_json(line))
        except ValidationError as error:
            place = Place(str(folder / TABLE), row=number)
            findings.append(finding("ME133", f"line {number} is not a decision: {_fault(error)}", place=place))
    return Decisions(tuple(rows), tuple(findings))


def _content(folder: Path) -> bytes:
    try:
        with open_own(folder / TABLE, os.O_RDONLY) as file:
            return file.read()
    except OSError as error:
        raise DecisionsError(
            f"the decisions cannot be read: {error.strerror or error}",
            where=str(folder / TABLE),
            fix="put the file back; if nothing was decided yet, remove the folder",
        ) from error


def _fault(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(map(str, problem["loc"]))
    return (f"{where}: " if where else "") + problem["msg"].removeprefix("Value error, ")


def standing(decisions: Iterable[Decision]) -> list[Decision]:
    """The decisions that count, in order: those that are neither undone nor superseded, without the undoing ones.

    To undo a decision that undid another brings that other one back.
    """
    undone: set[str] = set()
    latest: dict[Hashable, Decision] = {}
    for decision in reversed(list(decisions)):
        if decision.id in undone:
            continue
        if decision.undoes is not None:
            undone.add(decision.undoes)
        if decision.action != "undo":
            latest.setdefault(decision.key(), decision)
    return list(reversed(latest.values()))


def about_row(manifest: Manifest, row: Annotation) -> dict[str, Any]:
    """The fields by which a decision names a row: ``Decision(action="exclude", **about_row(manifest, row))``."""
    return {
        "dataset": row.dataset,
        "subject": row.subject,
        "video": row.video,
        "expression": row.expression,
        "onset": row.written("onset"),
        "file": row.source_file,
        "sheet": row.source_sheet,
        "row": row.source_row,
        "cells": {column: row.written(column) for column in CORRECTABLE if column in row.source_cells},
        "source": _source(manifest, row.source_file),
    }


def about_video(manifest: Manifest, video: str, subject: str | None = None) -> dict[str, Any]:
    """The fields by which a decision names a whole video."""
    return {"dataset": manifest.spec.id, "subject": subject, "video": video, "source": _source(manifest, None)}


def about_finding(manifest: Manifest, doubt: Finding) -> dict[str, Any]:
    """The fields by which a decision names a finding, and the row, the video or the folder that it is about."""
    row = row_of(manifest, doubt)
    if row is not None:
        about = about_row(manifest, row) | {"path": doubt.path}
    else:
        folder = next((each for each in manifest.videos if each.path == doubt.path), None) if doubt.path else None
        video = doubt.video or (folder.video if folder else None)
        about = about_video(manifest, video, doubt.subject) if video else {"dataset": manifest.spec.id}
        about |= {"file": doubt.file, "sheet": doubt.sheet, "row": doubt.row, "path": doubt.path}
    return about | {"code": doubt.code, "message": doubt.message, "column": column_of(row, doubt), "old": doubt.found}


def row_of(manifest: Manifest, doubt: Finding) -> Annotation | None:
    """The annotation that a finding is about, or None."""
    if doubt.row is None:
        return None
    of_number = (row for row in manifest.annotations if row.source_row == doubt.row)
    return next((row for row in of_number if (row.source_file, row.source_sheet) == (doubt.file, doubt.sheet)), None)


def elsewhere(about: Finding | Decision) -> Hashable:
    """The place of a finding about no annotation: a folder, a video or a row; its message where it has none."""
    return about.path or ((about.video, about.row) if about.video or about.row else about.message)


def column_of(row: Annotation | None, doubt: Finding) -> str | None:
    """The name of the column that a finding is about (``offset``); its letter where the row does not tell the name."""
    if row is None or doubt.column is None:
        return doubt.column
    cell = f"{doubt.column}{row.source_row}"
    return next((name for name, place in row.source_cells.items() if place == cell), doubt.column)


def correct(manifest: Manifest, row: Annotation, column: str, value: int | str | None, **fields: Any) -> Decision:
    """The decision that gives a cell of a row another value.

    Args:
        manifest: of the row.
        row: as it is in the manifest.
        column: one of `CORRECTABLE`.
        value: a 0-based frame at the row's rate for onset, apex and offset; ``micro`` or ``macro`` for the type; a
            label for the emotion; action units as a coder writes them (``4+L7B``) for ``aus``. None empties the cell.
        fields: of the decision, such as ``note``.

    Raises:
        DecisionsError: the workbook has no such column, the value is none that it can have, or the frame lies outside
            the video.
    """
    outside = outside_video(manifest, row, value) if column in FRAME_FIELDS and isinstance(value, int) else None
    if outside is not None:
        raise DecisionsError(f"{column}: frame {value} {outside}", where=str(row.place(column)))
    return Decision(
        action="correct",
        column=column,
        old=row.written(column),
        new=as_written(manifest, row, column, value),
        **about_row(manifest, row),
        **fields,
    )


def frame_range(manifest: Manifest, row: Annotation) -> tuple[int, int] | None:
    """The first and the last 0-based frame, at a row's rate, of the folders that show it; None without a folder."""
    ranges = []
    for video in manifest.videos:
        if video.video == row.video and video.expression in (None, row.expression):
            start, end = known_span(manifest, video)
            step = ratio(frame_rate(manifest, video), row.fps)
            ranges += [(math.ceil(start / step), math.floor((end - 1) / step))] if end > start else []
    return (min(first for first, _ in ranges), max(last for _, last in ranges)) if ranges else None


def outside_video(manifest: Manifest, row: Annotation, frame: int) -> str | None:
    """How a 0-based frame lies outside the video of a row; None where it lies inside, or the frames are not known."""
    allowed = frame_range(manifest, row)
    if allowed is None or allowed[0] <= frame <= allowed[1]:
        return None
    return f"lies outside the video, whose frames are {allowed[0]} to {allowed[1]}"


def as_written(manifest: Manifest, row: Annotation, column: str, value: int | str | None) -> str:
    """A value of the manifest as the workbook writes it: the inverse of reading a cell.

    Raises:
        DecisionsError: as in `correct`.
    """
    spec = manifest.spec
    if column not in CORRECTABLE or column not in row.source_cells:
        raise DecisionsError(f"the workbook has no column {column} that could be corrected", where=str(row.place()))
    if value is None:
        return ""
    if column in FRAME_FIELDS:
        if not isinstance(value, int) or value < 0:
            raise DecisionsError(f"{column}: {value!r} is not the number of a frame", where=str(row.place(column)))
        variant = next((each for each in spec.workbook.variants if each.id == manifest.variant), None)
        frames = (variant.frames if variant else None) or spec.workbook.frames
        return str(value + frames.base)
    if column == "type":
        spellings = {name: texts[0] for name, texts in spec.expression_type.values.items() if texts}
        if value not in spellings:
            known = ", ".join(spellings) or f"always {spec.expression_type.constant}"
            raise DecisionsError(f"'{value}' is not a type of {spec.title}: {known}", where=str(row.place(column)))
        return spellings[value]
    if column == "emotion" and value not in spec.emotions.labels:
        labels = ", ".join(spec.emotions.labels)
        raise DecisionsError(f"'{value}' is not an emotion of {spec.title}: {labels}", where=str(row.place(column)))
    return str(value)


def rows_of(decision: Decision, rows: Iterable[Annotation]) -> list[Annotation]:
    """The annotations that a decision means, as a correction or an exclusion of a schema would mean them."""
    if decision.video is None or not decision.of_annotation:
        return []
    key = RowKey.model_validate({name: getattr(decision, name) for name in RowKey.model_fields})
    alike = [
        row
        for row in rows
        if row.video == key.video and key.fits(row.subject, row.video, row.expression, row.written("onset"))
    ]
    numbers = key.meant([row.source_row for row in alike])
    return [row for row in alike if row.source_row in numbers]


def changed_ground(decision: Decision, manifest: Manifest) -> str | None:
    """Why a decision cannot be applied to a manifest: what it was made on has changed. None where it holds.

    The workbook may be another file, as long as it says what it said: in the cell that was corrected, or in all columns
    of a row that was excluded. For an accepted finding, see `changed_finding`.
    """
    if decision.dataset != manifest.spec.id:
        return f"it was made on {decision.dataset}, not on {manifest.spec.id}"
    if decision.action == "relocate":
        layouts = [layout.id for layout in manifest.spec.layouts]
        return None if decision.layout in layouts else f"there is no layout '{decision.layout}'"
    if decision.video is None:
        return None
    if not decision.of_annotation:
        if decision.file is not None:
            return None  # it holds wherever the finding about that file is made again
        annotated = any(row.video == decision.video for row in manifest.annotations)
        known = annotated or any(row.video == decision.video for row in manifest.videos)
        return None if known else f"there is no video {decision.video}"
    rows = rows_of(decision, manifest.annotations)
    if not rows:
        return f"{decision.video} has no such row: {decision.expression or 'expression'} with onset '{decision.onset}'"
    if decision.action == "correct":
        return changed_cell(rows[0], {decision.column or "": decision.old or ""})
    return changed_cell(rows[0], decision.cells or {}) if decision.action == "exclude" else None


def changed_cell(row: Annotation | None, cells: Mapping[str, str]) -> str | None:
    """How the first cell of a row that says something else than before has changed; None where all say the same."""
    if row is None:
        return None
    for column, before in cells.items():
        text = row.written(column)
        if not same(text, before):
            return f"{column} says '{text}' now, and said '{before}'"
    return None


def is_about(decision: Decision, doubt: Finding, row: Annotation | None) -> bool:
    """Whether a decision about a row, a video or a folder is about one finding there, whatever that finds now."""
    if decision.code is None:
        return True
    same_cell = (decision.code, decision.column) == (doubt.code, column_of(row, doubt))
    return same_cell and decision.path in (None, doubt.path)


def changed_finding(decision: Decision, doubt: Finding, row: Annotation | None) -> str | None:
    """Why a finding is not the one that was accepted: its cell has changed, or what it finds. None where it is."""
    if decision.code is None:
        return None
    reason = changed_cell(row, decision.cell)
    if reason is None and decision.old != doubt.found:
        return f"{doubt.code} finds '{doubt.found}' now, and found '{decision.old}'"
    return reason


def not_applied(decision: Decision, reason: str, code: str = "ME132") -> Finding:
    """The finding that a decision was not applied: its ground has changed, or what it accepts is not found (ME138)."""
    about = decision.about or decision.code
    message = f"'{decision.action}' of {about} was not applied: {reason} (decision {decision.id})"
    return finding(
        code,
        message,
        place=decision.place(),
        subject=decision.subject,
        video=decision.video,
        path=decision.path,
        expected=decision.old,
    )


def _source(manifest: Manifest, name: str | None) -> str | None:
    """The SHA-256 of one of the files that a manifest was made from; of the first where none is named."""
    hashes = [each.get("sha256") for each in manifest.sources if name in (None, each.get("name"))]
    return hashes[0] if hashes else None
