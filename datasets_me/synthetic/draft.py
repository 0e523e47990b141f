"""A synthetic dataset before it is written: rows, folders, the schema that fits it, and the expected findings."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from datasets_me.convert.sheets import Cell, column_index, column_letter
from datasets_me.core.choices import Container, ExpressionType
from datasets_me.core.errors import SchemaError
from datasets_me.schema import naming, yaml_files
from datasets_me.schema.naming import Identity
from datasets_me.schema.schema_files import Schema
from datasets_me.schema.spec import FRAME_FIELDS, Layout, Spec, Synthetic, Variant
from datasets_me.schema.template import Template

_LEAD, _GAP, _TAIL = 5, 4, 6  # frames before, between and after the expressions of a video
_LENGTHS: dict[ExpressionType, tuple[int, int]] = {"micro": (7, 10), "macro": (12, 20)}

_SECONDS: dict[ExpressionType, tuple[float, float]] = {"micro": (0.12, 0.705), "macro": (0.5, 3.9)}
"""Real lengths: those of CASME II (24 to 141 frames at 200 a second), and of most macro-expressions of CAS(ME)²."""

_PAUSE = (0.2, 1.0)  # s before, between and after expressions of real length


@dataclass
class Row:
    """One row of the workbook. ``frames`` is the 0-based truth, whatever the cells say.

    ``lost`` rows cannot become annotations; nothing is made on disk for them. ``fps`` is the rate of the video.
    """

    cells: dict[str, Cell]
    identity: Identity
    names: dict[str, str]
    type: ExpressionType
    frames: dict[str, int]
    fps: float
    number: int = 0
    lost: bool = False


@dataclass
class Folder:
    """One folder of frames to be written: file names to their content, by kind."""

    path: str
    layout: Layout
    rows: list[Row]
    video: str
    files: dict[str, str] = field(default_factory=dict)


@dataclass
class Draft:
    """Everything about a synthetic dataset that is still to be written."""

    schema: Schema
    random: random.Random
    rows: list[Row]
    lengths: dict[str, int]
    folders: list[Folder] = field(default_factory=list)
    after_table: list[str] = field(default_factory=list)
    extra_column: str | None = None
    extra_sheet: str | None = None
    merged: list[str] = field(default_factory=list)
    dropped_lookups: set[tuple[str, str]] = field(default_factory=set)
    suffix: str = ".xlsx"
    truth: list[dict[str, Any]] = field(default_factory=list)
    schema_changes: dict[str, Any] = field(default_factory=dict)
    used: set[int] = field(default_factory=set)
    real_lengths: bool = False
    container: Container | None = None

    @property
    def spec(self) -> Spec:
        """The dataset's schema."""
        return self.schema.spec

    @property
    def synthetic(self) -> Synthetic:
        """What the schema says of synthetic sets."""
        assert self.spec.synthetic is not None  # new_draft refuses a schema without it
        return self.spec.synthetic

    @property
    def variant(self) -> Variant:
        """The variant of the workbook that is written: the schema's first."""
        return self.spec.workbook.variants[0]

    @property
    def layouts(self) -> list[Layout]:
        """The layouts that are written: of folders of frames, or with a container of video files."""
        if self.container is None:
            return [layout for layout in self.spec.layouts if not layout.video_files]
        whole = [layout for layout in self.spec.layouts if layout.holds == "video"]
        files = [layout for layout in whole if layout.video_files]
        return files or [layout.model_copy(update={"video_files": True}) for layout in whole]

    @property
    def columns(self) -> list[str]:
        """Columns of the sheet from left to right, "" for a blank one."""
        if self.variant.header == "find":
            return self.synthetic.order
        by_index = {column_index(str(letter)): name for name, letter in self.variant.columns.items()}
        return [by_index.get(index, "") for index in range(max(by_index) + 1)]

    @property
    def first_row(self) -> int:
        """The number of the first annotation's row in the sheet."""
        return len(self.synthetic.preamble) + (2 if self.variant.header == "find" else 1)

    def letter(self, column: str) -> str:
        """The letter of a column of the sheet."""
        return column_letter(self.columns.index(column))

    def expect(self, code: str, stage: str, row: Row | None = None, column: str | None = None, **place: Any) -> None:
        """Note a finding that has to be reported."""
        entry: dict[str, Any] = {"code": code, "stage": stage}
        if row is not None:
            entry |= {"row": row.number, "video": row.identity.video}
        if column is not None:
            entry["column"] = self.letter(column) if column in self.columns else column
        self.truth.append(entry | place)

    def fresh_rows(self) -> Iterator[Row]:
        """Untouched rows in random order."""
        rows = [row for row in self.rows if id(row) not in self.used and not row.lost]
        self.random.shuffle(rows)
        return iter(rows)

    def claim(self, *rows: Row) -> None:
        """Keep other defects from touching these rows."""
        self.used.update(map(id, rows))


def new_draft(
    schema: Schema, seed: int, subjects: int, *, real_lengths: bool = False, container: Container | None = None
) -> Draft:
    """A dataset without defects.

    Args:
        schema: of the dataset.
        seed: decides everything that is drawn.
        subjects: how many people.
        real_lengths: expressions last as long as real ones at the rate of their video, instead of a few frames.
        container: write video files instead of folders of frames; for a dataset that has no others, ``avi`` if None.

    Raises:
        SchemaError: the schema has no section ``synthetic``, too few names for so many subjects, or no layout of whole
            videos for a container.
    """
    spec = schema.spec
    if spec.synthetic is None:
        raise SchemaError(
            f"the schema of {spec.id} has no section 'synthetic'", fix="add one, as in schemas/casme2.yaml"
        )
    if container is None and all(layout.video_files for layout in spec.layouts):
        container = "avi"
    draft = Draft(schema, random.Random(seed), [], {}, real_lengths=real_lengths, container=container)
    if not draft.layouts:
        raise SchemaError(
            f"the folders of {spec.id} hold one expression each, so that it has no video files",
            fix="leave --container out",
        )
    for subject in range(1, subjects + 1):
        for clip in spec.synthetic.clips[:-1]:  # the last stays free, for folders without annotation
            _add_video(draft, subject, clip)
    for index, row in enumerate(draft.rows):
        row.number = draft.first_row + index
    return draft


def naming_cells(draft: Draft, subject: int, clip: str, number: int) -> dict[str, Cell]:
    """The cells that identify a row."""
    values = {"subject": str(subject), "clip": clip, "number": str(number)}
    return {name: Template(text).render(values) for name, text in draft.synthetic.columns.items()}


def identity_of(draft: Draft, cells: dict[str, Cell]) -> tuple[Identity, dict[str, str]]:
    """The identity that a row's cells give, and all values it is derived from.

    Raises:
        SchemaError: they give none, because the subject is not in the schema's lookups.
    """
    known = naming.derive(draft.spec.names, {name: str(cell) for name, cell in cells.items() if cell is not None})
    identity = naming.identify(draft.spec.names, known)
    if identity is None or identity.subject is None:
        raise SchemaError(f"the schema of {draft.spec.id} has no names for {cells}", fix="give fewer --subjects")
    return identity, known


def _add_video(draft: Draft, subject: int, clip: str) -> None:
    synthetic = draft.synthetic
    rates = (synthetic.rates if draft.real_lengths else []) or [draft.spec.fps]
    fps = rates[len(draft.lengths) % len(rates)]
    types = draft.spec.expression_type
    by_column = types.constant is None or "type" in draft.synthetic.order
    kinds: list[ExpressionType] = sorted(types.values) if by_column else [types.constant or "micro"]
    frame = _pause(draft, fps, _LEAD)
    for number in range(1, synthetic.per_video + 1):
        kind = draft.random.choice(kinds)
        length = _length(draft, kind, fps)
        frames = {"onset": frame, "apex": frame + draft.random.randint(2, length - 3), "offset": frame + length - 1}
        cells = naming_cells(draft, subject, clip, number)
        identity, known = identity_of(draft, cells)
        draft.rows.append(Row(cells | _data_cells(draft, kind, frames, fps), identity, known, kind, frames, fps))
        draft.lengths[identity.video] = frame + length + _pause(draft, fps, _TAIL)
        frame += length + _pause(draft, fps, _GAP)


def _length(draft: Draft, kind: ExpressionType, fps: float) -> int:
    """How many frames an expression lasts, onset and offset included."""
    if not draft.real_lengths:
        return draft.random.randint(*_LENGTHS[kind])
    low, high = _SECONDS[kind]
    return max(6, round(draft.random.uniform(low, high) * fps))


def _pause(draft: Draft, fps: float, frames: int) -> int:
    """How many frames there are before, between or after expressions: so many, or a real pause."""
    return max(frames, round(draft.random.uniform(*_PAUSE) * fps)) if draft.real_lengths else frames


def _data_cells(draft: Draft, kind: ExpressionType, frames: dict[str, int], fps: float) -> dict[str, Cell]:
    spec = draft.spec
    labels = [*spec.emotions.labels]
    cells: dict[str, Cell] = {name: frames[name] + spec.workbook.frames.base for name in FRAME_FIELDS}
    cells["duration"] = frames["offset"] - frames["onset"] + (spec.workbook.duration == "inclusive")
    cells["type"] = spec.expression_type.values[kind][0] if spec.expression_type.values else None
    cells["aus"] = draft.random.choice(draft.synthetic.aus)
    cells["emotion"] = draft.random.choice(labels) if labels else None
    cells["fps"] = int(fps)
    return cells


def add_folders(draft: Draft) -> None:
    """Add the folders, or the video files, of every layout that is written, for all rows that can be read."""
    for layout in draft.layouts:
        groups: dict[str, list[Row]] = {}
        for row in draft.rows:
            if not row.lost:
                path = folder_path(layout, row.names) + (f".{draft.container}" if draft.container else "")
                groups.setdefault(path, []).append(row)
        for path, rows in groups.items():
            draft.folders.append(Folder(path, layout, rows, rows[0].identity.video, _files(draft, layout, rows)))


def folder_path(layout: Layout, names: dict[str, str]) -> str:
    """The path of a folder in a layout, under the first of the layout's top folders."""
    local = Template(layout.folder).render(names)
    return f"{layout.under[0]}/{local}" if layout.under else local


def _files(draft: Draft, layout: Layout, rows: list[Row]) -> dict[str, str]:
    if layout.holds == "video":
        numbers = range(layout.base, layout.base + draft.lengths[rows[0].identity.video])
    else:
        first = layout.base + (rows[0].frames["onset"] if layout.numbers == "video" else 0)
        numbers = range(first, first + rows[0].frames["offset"] - rows[0].frames["onset"] + 1)
    return {frame_name(layout, rows[0].names, number): "frame" for number in numbers}


def frame_name(layout: Layout, names: dict[str, str], number: int) -> str:
    """The name of a frame's file."""
    return Template(layout.frame).render({**names, "frame": str(number)})


def schema_text(draft: Draft) -> str:
    """The dataset's schema with the counts, corrections, relocations and absences of this synthetic set."""
    raw = copy.deepcopy(yaml_files.load(draft.schema.text, draft.spec.id).value)
    rows = [row for row in draft.rows if not row.lost]
    folders: dict[str, int] = {}
    for folder in draft.folders:
        folders[folder.layout.id] = folders.get(folder.layout.id, 0) + 1
    raw["title"] += " (synthetic)"
    raw["expected"] = {
        "annotations": len(rows),
        "micro": sum(row.type == "micro" for row in rows),
        "macro": sum(row.type == "macro" for row in rows),
        "subjects": len({row.identity.subject for row in rows}),
        "folders": folders,
    }
    if draft.container is not None:
        raw["layouts"] = [layout.model_dump(mode="json", exclude_defaults=True) for layout in draft.layouts]
        for layout in raw["layouts"]:
            layout.pop("frame", None)
    for part in ("corrections", "relocations", "absent"):
        raw[part] = draft.schema_changes.get(part, [])
    for name, extra in draft.schema_changes.get("expected", {}).items():
        raw["expected"][name] += extra
    for name, extra in draft.schema_changes.get("folders", {}).items():
        raw["expected"]["folders"][name] += extra
    return yaml.safe_dump(raw, sort_keys=False, allow_unicode=True, width=120)
