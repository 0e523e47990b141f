"""One raw row becomes one annotation; every doubt about it becomes a finding with its cell."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, time, timedelta
from itertools import pairwise

from datasets_me.convert.action_units import FACS_NUMBERS, read_action_units
from datasets_me.convert.frames import read_frame, read_number
from datasets_me.convert.sheets import cell_text, shorten
from datasets_me.convert.variants import AnnotationTable, RawRow
from datasets_me.core.choices import ExpressionType
from datasets_me.core.errors import Place, plural
from datasets_me.core.text import closest, fold, same
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats import manifest as manifests
from datasets_me.formats.records import ActionUnit, Annotation
from datasets_me.schema import naming
from datasets_me.schema.patterns import matcher
from datasets_me.schema.spec import (
    FASTEST,
    FIELDS_OF_A_ROW,
    FRAME_FIELDS,
    SLOWEST,
    Correction,
    DurationConvention,
    FrameField,
    LeftOut,
    RowKey,
    Spec,
)

_NO_FRAME = "none of its frames can be read"
_MOST_PIECES = 10  # of one cell that get a finding each


_ROWS_OF_A_CONVENTION = 3  # fewer rows that agree may be wrong by chance
_ADDED: dict[DurationConvention, int] = {"inclusive": 1, "exclusive": 0}
_FORMULAS: dict[DurationConvention, str] = {"inclusive": "offset - onset + 1", "exclusive": "offset - onset"}


@dataclass(frozen=True)
class _Duration:
    """A cell of the column ``duration``, beside offset - onset of its row."""

    raw: RawRow
    about: Mapping[str, str]
    stated: float
    span: float

    def follows(self, convention: DurationConvention) -> bool:
        """Whether it is right to less than a frame; durations may be computed from other rates."""
        return abs(self.stated - self.span - _ADDED[convention]) < 1


@dataclass
class Normaliser:
    """Reads the rows of one table; ``findings`` and ``left_out`` grow with every row.

    With ``corrections``, those of the schema are applied, and what it excludes is left out.
    """

    spec: Spec
    table: AnnotationTable
    corrections: bool = True
    findings: list[Finding] = field(default_factory=list)
    left_out: list[Annotation] = field(default_factory=list)

    def __post_init__(self) -> None:
        workbook, variant = self.spec.workbook, self.table.variant
        self._frames = variant.frames or workbook.frames
        self._sentinels = workbook.sentinels if variant.sentinels is None else variant.sentinels
        self._rows_of_video: Counter[str] = Counter()
        self._durations: list[_Duration] = []
        self._corrections: defaultdict[int, list[Correction]] = defaultdict(list)
        self._exclusions: dict[int, LeftOut] = {}

    def annotations(self) -> Iterator[Annotation]:
        """The annotations of all rows that can be read, in the order of the workbook."""
        identities = [self._identity(raw) for raw in self.table.rows]
        if self.corrections:
            self._assign([identity for identity, _ in identities])
        for raw, (identity, values) in zip(self.table.rows, identities, strict=True):
            findings, durations = len(self.findings), len(self._durations)
            annotation = self._read(raw, identity, values)
            left_out = self._exclusions.get(raw.place.row or 0)
            if left_out is not None:  # it was read, because the ids of later rows count it
                del self.findings[findings:], self._durations[durations:]
                self.left_out += [annotation] if annotation is not None else []
                self.findings.append(manifests.left_out(left_out, raw.place))
            elif annotation is not None:
                yield annotation
        self._check_durations()

    def _assign(self, identities: list[naming.Identity | None]) -> None:
        """Give each correction and exclusion of the schema the rows that it means; one that means none is reported."""
        by_video: defaultdict[str, list[tuple[RawRow, naming.Identity]]] = defaultdict(list)
        for raw, identity in zip(self.table.rows, identities, strict=True):
            if identity is not None:
                by_video[identity.video].append((raw, identity))

        def meant(key: RowKey, column: str | None = None, old: str = "") -> list[int]:
            return key.meant(
                [
                    raw.place.row or 0
                    for raw, identity in by_video.get(key.video, ())
                    if key.fits(identity.subject, identity.video, identity.expression, raw.text("onset"))
                    and (column is None or (column in raw.cells and same(raw.text(column), old)))
                ]
            )

        for correction in self.spec.corrections:
            rows = meant(correction, correction.column, correction.old)
            for row in rows:
                self._corrections[row].append(correction)
            if not rows:
                self._report_unmatched(f"correction of {correction.column}", correction, correction.old)
        for left_out in self.spec.exclude:
            rows = meant(left_out)
            self._exclusions |= dict.fromkeys(rows, left_out)
            if not rows and not left_out.whole_video:
                self._report_unmatched("exclusion", left_out, left_out.onset)

    def _report_unmatched(self, what: str, key: RowKey, expected: str | None) -> None:
        name = f"{key.video} {key.expression or ''}".strip()
        place = Place(file=self.table.rows[0].place.file if self.table.rows else None)
        about = {"subject": key.subject, "video": key.video, "expected": expected}
        self.findings.append(finding("ME118", f"the {what} of {name} fits no row", place=place, **about))

    def reread(
        self, annotation: Annotation, corrections: Sequence[Correction], convention: DurationConvention | None
    ) -> Annotation | None:
        """An annotation with corrections of cells applied, each in one of ``FIELDS_OF_A_ROW`` but ``fps``.

        Args:
            annotation: as it was read.
            corrections: of its cells.
            convention: of the durations of its workbook; with None they are not compared.

        Returns:
            The annotation; None, with a finding, where it has no frame any more.
        """
        columns = {correction.column: correction.new for correction in corrections}
        before = {str(name): annotation.corrected.get(name, annotation.written(name)) for name in FRAME_FIELDS}
        raw = RawRow(annotation.place(), {**annotation.extra, **before, **columns}, {})
        for correction in corrections:
            self._report_corrected(raw, correction, annotation.written(correction.column), annotation)
        about = {"subject": annotation.subject, "video": annotation.video}
        frames: dict[FrameField, int | None] = {
            name: self._frame(raw, name, annotation.fps, about) if name in columns else getattr(annotation, name)
            for name in FRAME_FIELDS
        }
        if all(frame is None for frame in frames.values()):
            self._report("ME101", _NO_FRAME, raw, **about)
            return None
        if not columns.keys().isdisjoint(FRAME_FIELDS):
            self._check_order(raw, frames, about)
            self._note_duration(raw, frames, about)
            self._compare_durations(convention)
        fields: dict[str, object] = {str(name): frame for name, frame in frames.items()}
        if "type" in columns:
            fields["type"] = self._type(raw, about) or annotation.type
        if "emotion" in columns:
            fields |= self._classes(self._emotion(raw, about))
        if "aus" in columns:
            fields["aus"], fields["aus_unread"] = self._action_units(raw, about)
        return annotation.model_copy(update={**fields, "corrected": {**annotation.corrected, **columns}})

    def _read(self, written: RawRow, identity: naming.Identity | None, values: dict[str, str]) -> Annotation | None:
        """The annotation of a row, or None, with a finding, where it cannot be read."""
        raw = written
        corrected: dict[str, str] = {}
        if identity is not None:
            raw, corrected = self._corrected(raw, identity)
            if not corrected.keys().isdisjoint(self._naming_columns()):
                identity, values = self._identity(raw)
        if identity is None or identity.subject is None:
            self._report("ME101", f"the row cannot be tied to a video: {self._unnamable(raw)}", raw)
            return None
        subject = identity.subject
        about = {"subject": subject, "video": identity.video}
        for column, name, value, of_column in naming.contradictions(self.spec.names, values):
            message = f"{column} says {name} {value}, the column {name} says {of_column}"
            self._report("ME120", message, raw, column, expected=of_column, found=value, **about)
        expression_type = self._type(raw, about)
        fps = self._fps(raw, about)
        frames = {name: self._frame(raw, name, fps, about) for name in FRAME_FIELDS}
        if expression_type is None:
            return None
        if all(frame is None for frame in frames.values()):
            self._report("ME101", _NO_FRAME, raw, **about)
            return None
        self._rows_of_video[identity.video] += 1
        self._check_order(raw, frames, about)
        self._note_duration(raw, frames, about)
        units, unread = self._action_units(raw, about)
        return Annotation(
            id=f"{identity.video}:{self._rows_of_video[identity.video]}",
            dataset=self.spec.id,
            subject=subject,
            video=identity.video,
            expression=identity.expression,
            type=expression_type,
            **frames,
            fps=fps,
            aus=units,
            aus_unread=unread,
            **self._classes(self._emotion(raw, about)),
            **{f"{name}_raw": _cell(written, name) for name in ("onset", "apex", "offset", "emotion", "type")},
            au_raw=_cell(written, "aus"),
            corrected=corrected,
            extra=self._extra(written),
            source_file=raw.place.file or "",
            source_sheet=raw.place.sheet,
            source_row=raw.place.row or 0,
            source_cells={name: f"{letter}{raw.place.row}" for name, letter in self.table.letters.items()},
        )

    def _report(self, code: str, message: str, raw: RawRow, column: str | None = None, **fields: str | None) -> None:
        place = Place(raw.place.file, raw.place.sheet, raw.place.row, self.table.letters.get(column or ""))
        self.findings.append(finding(code, message, place=place, **fields))

    def _naming_columns(self) -> list[str]:
        return [name for name in self.table.variant.columns if name not in FIELDS_OF_A_ROW]

    def _unnamable(self, raw: RawRow) -> str:
        """Why a row gives no subject and video."""
        empty = [name for name in self._naming_columns() if not raw.text(name)]
        if empty:
            return f"{' and '.join(empty)} empty"
        cells = [f"{name} '{raw.text(name)}'" for name in self._naming_columns()]
        return f"no name follows from {', '.join(cells)}"

    def _identity(self, raw: RawRow) -> tuple[naming.Identity | None, dict[str, str]]:
        """The identity of a row, None where a value does not fit its pattern; and the values it follows from."""
        texts = {name: raw.text(name) for name in raw.cells if raw.text(name) and name not in FIELDS_OF_A_ROW}
        # A CSV written from a table of floats has 1.0 for 1.
        values = {name: re.sub(r"^(\d+)\.0+$", r"\1", text) for name, text in texts.items()}
        known = naming.derive(self.spec.names, values, self.table.lookups)
        for name, pattern in self.spec.names.patterns.items():
            if name in known and not matcher(pattern).fits(known[name]):
                return None, known
        identity = naming.identify(self.spec.names, known)
        # Names become paths; one with a separator would lead elsewhere.
        if identity is not None and re.search(r"[/\\]", f"{identity.subject}{identity.video}"):
            return None, known
        return identity, known

    def _corrected(self, raw: RawRow, identity: naming.Identity) -> tuple[RawRow, dict[str, str]]:
        """The row with the schema's corrections applied, and the new texts by column."""
        corrected: dict[str, str] = {}
        cells = dict(raw.cells)
        for correction in self._corrections.get(raw.place.row or 0, ()):
            text = raw.text(correction.column)
            corrected[correction.column] = correction.new
            cells[correction.column] = correction.new
            self._report_corrected(raw, correction, text, identity)
        return RawRow(raw.place, cells, raw.unnamed), corrected

    def _report_corrected(
        self, raw: RawRow, correction: Correction, text: str, about: naming.Identity | Annotation
    ) -> None:
        column = correction.column
        message = f"{column} {text} became {correction.new}: {correction.why}"
        fields = {"subject": about.subject, "video": about.video, "expected": correction.new, "found": text}
        self._report("ME117", message, raw, column, **fields)

    def _type(self, raw: RawRow, about: Mapping[str, str]) -> ExpressionType | None:
        types = self.spec.expression_type
        if types.constant and "type" not in raw.cells:
            return types.constant
        text = raw.text("type")
        for name, spellings in types.values.items():
            if any(fold(text) == fold(spelling) for spelling in spellings):
                return name
        known = [spelling for spellings in types.values.values() for spelling in spellings]
        self._report("ME116", _unknown("type", text, known), raw, "type", found=text, **about)
        return None

    def _frame(self, raw: RawRow, name: FrameField, fps: float, about: Mapping[str, str]) -> int | None:
        if name not in raw.cells:
            return None
        reading = read_frame(raw.cells[name], self._frames, self._sentinels.get(name, []), fps)
        if reading.code:
            self._report(reading.code, f"{name}: {reading.reason}", raw, name, found=raw.text(name), **about)
        return reading.frame

    def _check_order(self, raw: RawRow, frames: Mapping[FrameField, int | None], about: Mapping[str, str]) -> None:
        known = [(name, frame) for name in FRAME_FIELDS if (frame := frames[name]) is not None]
        early = [second[0] for first, second in pairwise(known) if first[1] > second[1]]
        if early:
            cells = ", ".join(f"{name} {raw.text(name)}" for name, _ in known)
            self._report("ME107", f"frames are out of order: {cells}", raw, early[0], found=cells, **about)
        elif frames["apex"] is not None and frames["onset"] != frames["offset"]:
            ends = [name for name in ("onset", "offset") if frames[name] == frames["apex"]]
            if ends:
                message = f"apex {raw.text('apex')} is the {ends[0]} itself"
                self._report("ME127", message, raw, "apex", found=raw.text("apex"), **about)

    def _note_duration(self, raw: RawRow, frames: Mapping[FrameField, int | None], about: Mapping[str, str]) -> None:
        duration = read_number(raw.cells.get("duration"))
        onset, offset = read_number(raw.cells.get("onset")), read_number(raw.cells.get("offset"))
        missing = frames["onset"] is None or frames["offset"] is None
        if not missing and duration is not None and onset is not None and offset is not None:
            self._durations.append(_Duration(raw, about, duration, offset - onset))

    def _check_durations(self) -> None:
        """Compare the durations with onset and offset, by the convention that most rows follow."""
        convention = self.spec.workbook.duration
        if convention is None or not self._durations:
            return
        rows = len(self._durations)
        follow = {name: sum(duration.follows(name) for duration in self._durations) for name in _ADDED}
        other: DurationConvention = "exclusive" if convention == "inclusive" else "inclusive"
        if follow[other] >= _ROWS_OF_A_CONVENTION and follow[other] > max(rows / 2, follow[convention]):
            self._report(
                "ME131",
                f"duration is {_FORMULAS[other]} on {follow[other]:,} of {plural(rows, 'row')}, "
                f"the schema says {_FORMULAS[convention]}",
                RawRow(replace(self._durations[0].raw.place, row=None), {}, {}),
                "duration",
                expected=convention,
                found=other,
            )
            convention = other
        self._compare_durations(convention)

    def _compare_durations(self, convention: DurationConvention | None) -> None:
        for duration in self._durations:
            if convention is not None and not duration.follows(convention):
                text, length = duration.raw.text("duration"), cell_text(duration.span + _ADDED[convention])
                message = f"duration is {text}, onset to offset is {length}"
                self._report("ME124", message, duration.raw, "duration", expected=length, found=text, **duration.about)

    def _fps(self, raw: RawRow, about: Mapping[str, str]) -> float:
        usual = self._frames.fps or self.spec.fps
        if "fps" not in raw.cells:
            return usual
        fps = read_number(raw.cells["fps"])
        if fps is None or not SLOWEST <= fps <= FASTEST:
            message = f"fps: '{shorten(raw.text('fps'))}' is not a frame rate; {usual:g} was used"
            self._report("ME104", message, raw, "fps", found=raw.text("fps"), **about)
            return usual
        return fps

    def _emotion(self, raw: RawRow, about: Mapping[str, str]) -> str | None:
        emotions = self.spec.emotions
        for column, words in emotions.vocabularies.items():
            text = raw.text(column)
            if text and fold(text) not in map(fold, words):
                self._report("ME115", _unknown(column, text, words), raw, column, found=text, **about)
        text = raw.text("emotion")
        if not text:
            if "emotion" in raw.cells:
                self._report("ME130", "emotion: the cell is empty", raw, "emotion", **about)
            return None
        for label, spellings in emotions.labels.items():
            if fold(text) in map(fold, (label, *spellings)):
                return label
        known = [word for label, spellings in emotions.labels.items() for word in (label, *spellings)]
        self._report("ME115", _unknown("emotion", text, known), raw, "emotion", found=text, **about)
        return None

    def _classes(self, emotion: str | None) -> dict[str, str | None]:
        """An emotion with the coarser classes that it belongs to."""
        emotions = self.spec.emotions
        return {
            "emotion": emotion,
            "class_3": _class_of(emotion, emotions.class_3),
            "class_5": _class_of(emotion, emotions.class_5),
        }

    def _action_units(self, raw: RawRow, about: Mapping[str, str]) -> tuple[list[ActionUnit], list[str]]:
        text = raw.text("aus")
        if "aus" not in raw.cells:
            return [], []
        if not text or any(same(text, sentinel) for sentinel in self._sentinels.get("aus", [])):
            reason = f"{text} means not annotated" if text else "the cell is empty"
            self._report("ME114", f"action units: {reason}", raw, "aus", found=text, **about)
            return [], []
        if isinstance(raw.cells["aus"], bool | date | time | timedelta):
            self._report("ME111", f"'{text}' is not an action unit", raw, "aus", found=text, **about)
            return [], [text]
        reading = read_action_units(text)
        shown = shorten(text)
        for piece in reading.unread[:_MOST_PIECES]:
            message = f"'{shorten(piece)}' in '{shown}' was not understood"
            self._report("ME111", message, raw, "aus", found=piece, **about)
        if len(reading.unread) > _MOST_PIECES:
            more = len(reading.unread) - _MOST_PIECES
            self._report("ME111", f"{more} more pieces of '{shown}' were not understood", raw, "aus", **about)
        for number in sorted({unit.au for unit in reading.units} - FACS_NUMBERS):
            self._report(
                "ME112",
                f"FACS has no action unit {number}, in '{shown}'",
                raw,
                "aus",
                found=str(number),
                **about,
            )
        if reading.ambiguous:
            self._report("ME113", f"'{shown}' mixes 'or' with other units", raw, "aus", found=text, **about)
        return list(reading.units), list(reading.unread)

    def _extra(self, raw: RawRow) -> dict[str, str]:
        named = {name: cell_text(cell) for name, cell in raw.cells.items() if name not in FIELDS_OF_A_ROW}
        return {name: text for name, text in (named | raw.unnamed).items() if text}


def _cell(raw: RawRow, column: str) -> str | None:
    """The text of a cell as it is in the workbook; None where there is no such column."""
    return cell_text(raw.cells[column]) if column in raw.cells else None


def _class_of(label: str | None, classes: Mapping[str, list[str]]) -> str | None:
    return next((name for name, labels in classes.items() if label in labels), None)


def _unknown(column: str, text: str, known: list[str]) -> str:
    near = closest(text, known)
    return f"{column} '{text}' is not known" + (f"; did you mean '{near}'?" if near else "")
