"""One sitting in front of a dataset: what the pages ask for, and the decisions they take. No word of HTTP."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from threading import Lock, Thread
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from datasets_me.core.choices import FlowMethod
from datasets_me.core.errors import DecisionsError, MeDatasetsError
from datasets_me.core.text import fold, printable
from datasets_me.findings.codes import SEVERITIES, all_codes
from datasets_me.findings.finding import Finding
from datasets_me.formats import decisions as store
from datasets_me.formats.decisions import Decision
from datasets_me.formats.records import Annotation
from datasets_me.schema.spec import FRAME_FIELDS
from datasets_me.viewer import motion
from datasets_me.viewer.dataset import WEIGHTS, Dataset, Entry
from datasets_me.viewer.decided import Decided
from datasets_me.viewer.frames import FAST, FrameError, FrameStore, Recent
from datasets_me.viewer.motion import Motion
from datasets_me.viewer.web import RefusedError

EDITED = (*FRAME_FIELDS, "type", "emotion", "aus")
"""The columns of a row that the page can correct."""

_UNREAD = frozenset(("ME101", "ME104", "ME111", "ME112", "ME115", "ME116"))
"""Findings about a cell that cannot be read; no correction may bring one about."""

THUMBNAILS = 4
_MOST_ROWS = 500
_QUALITIES: Mapping[str, Callable[[Entry], bool]] = {
    "no frames": lambda entry: entry.source.path is None,
    "frames missing": lambda entry: bool(entry.source.missing),
    "face lost": lambda entry: entry.features is not None and entry.features.no_face > 0,
    "cut at the edge": lambda entry: entry.features is not None and entry.features.clipped > 0,
    "no features": lambda entry: entry.features is None or entry.features.status == "failed",
    "good": lambda entry: entry.features is not None and not entry.doubtful_frames,
}


Text = Annotated[str, Field(max_length=1000)]


class Wish(BaseModel):
    """A decision that a page asks for, about one finding, one annotation or one video.

    ``row_of`` is a finding, too, but what is decided about is its row; its video, where it has no row.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    action: Literal["accept", "correct", "exclude", "relocate", "note"]
    finding: int | None = None
    row_of: int | None = None
    annotation: Text | None = None
    video: int | None = None
    column: Text | None = None
    value: int | Text | None = None
    note: Text | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if [self.finding, self.row_of, self.annotation, self.video].count(None) != 3:
            raise ValueError("a decision is about one finding, one annotation or one video")
        if self.action == "correct" and (self.annotation is None or self.column not in EDITED):
            raise ValueError(f"a correction needs an annotation and a column: {', '.join(EDITED)}")
        if self.action == "relocate" and self.finding is None:
            raise ValueError("a relocation needs a finding")
        return self


@dataclass(frozen=True)
class _Shown:
    """What the pages show at one time.

    ``decisions`` has the number of every finding that holds, with what was decided about it; ``rows`` are the videos in
    the order of need.
    """

    revision: str
    decisions: dict[int, Decision | None]
    rows: list[dict[str, Any]]


class Session:
    """All that the pages show and change. Its methods may be called from several threads.

    Args:
        dataset: what is looked at.
        decisions: the folder of decisions.
        read_only: nothing is saved.
    """

    def __init__(self, dataset: Dataset, decisions: Path, *, read_only: bool = False) -> None:
        self.dataset, self.read_only = dataset, read_only
        self.frames = FrameStore(dataset.manifest, dataset.root)
        self.decided = Decided(dataset.manifest, decisions, self._gap)
        dataset.add(self.decided.findings)
        self._method = motion.flow_method(dataset.features)
        self._motions: Recent[tuple[Motion | None]] = Recent(4)
        self._lock = Lock()
        self._looking = ""
        self._caused: set[int] = set()  # findings that a correction brought about, also one that was taken back
        self._shown = _Shown("", {}, [])
        self._rows: dict[int, dict[str, Any]] = {}

    def close(self) -> None:
        """End what runs beside."""
        self.frames.close()

    def look_beside(self, look: Callable[[], Sequence[Finding]]) -> Thread:
        """Run a check that takes longer, in the thread returned; its findings join the others when it is done."""

        def run() -> None:
            try:
                findings = look()
            except MeDatasetsError as error:
                self._looking = f"the folders could not be checked: {error.what}"
                return
            with self._lock:
                self.dataset.add(findings)
                self._rows.clear()
                self._looking = ""

        self._looking = "the folders are being checked"
        thread = Thread(target=run, daemon=True)
        thread.start()
        return thread

    # what is shown

    @property
    def revision(self) -> str:
        """Another text whenever something has changed, here, in another browser or in another program."""
        self.decided.refresh()
        return f"{self.decided.revision}-{len(self.dataset.findings) - len(self._caused)}-{self._looking}"

    def state(self) -> dict[str, Any]:
        """The dataset, what is left to decide, and what can be filtered by."""
        now = self._all()
        spec = self.dataset.manifest.spec
        findings = {number: self.dataset.findings[number] for number in now.decisions}
        counts = Counter(finding.code for finding in findings.values())
        left = Counter(
            finding.code
            for number, finding in findings.items()
            if now.decisions[number] is None and WEIGHTS[finding.severity]
        )
        known = all_codes()
        subjects = sorted({row["subject"] for row in now.rows if row["subject"]})
        return {
            "dataset": spec.id,
            "title": spec.title,
            "read_only": self.read_only,
            "looking": self._looking,
            "revision": now.revision,
            "features": self.dataset.features is not None,
            "flow": {"method": self.flow_method, "of_features": self._method is not None},
            "counts": {
                "videos": len(now.rows),
                "open_videos": sum(row["open"] > 0 for row in now.rows),
                "findings": len(findings),
                "open": sum(left.values()),
            },
            "unfit": len(self.decided.unfit),
            "subjects": subjects,
            "emotions": list(spec.emotions.labels),
            "qualities": [name for name, holds in _QUALITIES.items() if any(map(holds, self.dataset.entries))],
            "codes": [
                {
                    "code": code,
                    "name": known[code].name,
                    "severity": known[code].severity,
                    "count": count,
                    "open": left[code],
                }
                for code, count in sorted(counts.items(), key=lambda item: (-left[item[0]], item[0]))
            ],
        }

    def videos(self, query: Mapping[str, str], start: int, count: int) -> dict[str, Any]:
        """Some of the videos that fit a query, those that need eyes most first.

        Args:
            query: ``search`` (a part of a name or a label), ``subject``, ``type``, ``emotion``, ``code``, ``quality``,
                ``state`` (open, decided, excluded) and ``sort`` (eyes, name).
            start: the place of the first one, from 0.
            count: how many.
        """
        now = self._all()
        fits = [row for row in now.rows if self._fits(row, query)]
        if query.get("sort") == "name":
            fits.sort(key=lambda row: row["name"])
        return {
            "revision": now.revision,
            "total": len(fits),
            "start": start,
            "rows": [_without_private(row) for row in fits[start : start + min(count, _MOST_ROWS)]],
        }

    def _fits(self, row: dict[str, Any], query: Mapping[str, str]) -> bool:
        entry = self.dataset.entries[row["number"]]
        quality = _QUALITIES.get(query.get("quality", ""))
        state = query.get("state")
        return (
            all(word in row["_text"] for word in fold(query.get("search", "")).split())
            and query.get("subject") in (None, "", row["subject"])
            and (not query.get("type") or bool(row[query["type"]]))
            and (not query.get("emotion") or query["emotion"] in row["emotions"])
            and (not query.get("code") or any(each["code"] == query["code"] for each in row["codes"]))
            and (quality is None or quality(entry))
            and (not state or state == row["state"] or (state == "decided" and row["state"] == "excluded"))
        )

    def _all(self) -> _Shown:
        """What is shown by now. Only rows of videos about which something has changed are made again."""
        revision = self.revision
        with self._lock:
            if self._shown.revision != revision:
                known = len(self.dataset.findings)
                caused = self.dataset.add(self.decided.caused)
                self._caused |= {number for number in caused if number >= known}
                decisions = {
                    number: self.decided.of_finding(finding)
                    for number, finding in enumerate(self.dataset.findings)
                    if number not in self._caused or number in caused
                }
                settled, before = (_ids(each) for each in (decisions, self._shown.decisions))
                stale = {number for number, _ in settled.items() ^ before.items()}
                for entry in self.dataset.entries:
                    touched = entry.source.video in self.decided.touched or not stale.isdisjoint(entry.findings)
                    if touched or entry.number not in self._rows:
                        self._rows[entry.number] = self._row(entry, decisions)
                in_order = sorted(self._rows.values(), key=lambda row: (-row["_need"], row["name"]))
                self._shown = _Shown(revision, decisions, in_order)
            return self._shown

    def _row(self, entry: Entry, decisions: Mapping[int, Decision | None]) -> dict[str, Any]:
        findings = self.dataset.findings
        codes: dict[str, dict[str, Any]] = {}
        need = 0.0
        for number in filter(decisions.__contains__, entry.findings):
            finding = findings[number]
            one = codes.setdefault(
                finding.code, {"code": finding.code, "severity": finding.severity, "count": 0, "open": 0}
            )
            one["count"] += 1
            if decisions[number] is None and WEIGHTS[finding.severity]:
                one["open"] += 1
                need += WEIGHTS[finding.severity]
        left = sum(one["open"] for one in codes.values())
        doubted = any(WEIGHTS[one["severity"]] for one in codes.values())
        excluded = self.decided.of_video(entry.source.video) is not None
        annotations = [self.decided.corrected(row) for row in entry.annotations]
        types = Counter(str(row.type) for row in annotations)
        emotions = Counter(row.emotion for row in annotations)
        row = entry.features
        frames = entry.source.frames or (row.frames if row else None)
        doubtful = entry.doubtful_frames
        words = (entry.name, entry.source.subject, *map(str, emotions), *codes, entry.source.path)
        worst = sorted(codes.values(), key=lambda one: (one["open"] == 0, SEVERITIES.index(one["severity"])))
        return {
            "number": entry.number,
            "name": entry.name,
            "subject": entry.source.subject,
            "frames": frames,
            "fps": entry.fps,
            "micro": types["micro"],
            "macro": types["macro"],
            "emotions": {str(name): count for name, count in emotions.items() if name is not None},
            "codes": worst,
            "open": left,
            "doubtful": doubtful,
            "good": None if row is None or not row.frames else max(0.0, 1 - doubtful / row.frames),
            "state": "excluded" if excluded else "open" if left else "decided" if doubted else "clear",
            "_need": 0.0 if excluded else need + (min(doubtful / row.frames, 1) if row and row.frames else 0),
            "_text": fold(" ".join(filter(None, words))),
        }

    def video(self, number: int) -> dict[str, Any]:
        """All about one video but its frames.

        Raises:
            RefusedError: there is none of this number.
        """
        entry = self.entry(number)
        now = self._all()
        rows = now.rows
        place = next(index for index, row in enumerate(rows) if row["number"] == number)
        following = next((row["number"] for row in [*rows[place + 1 :], *rows[:place]] if row["open"]), None)
        shown = self._motion(entry)
        excluded = self.decided.of_video(entry.source.video)
        return {
            "revision": now.revision,
            **_without_private(rows[place]),
            **self._extent(entry),
            "path": entry.source.path,
            "next": following,
            "step": float(entry.step),
            "excluded": None if excluded is None else excluded.id,
            "notes": [{"id": note.id, "note": note.note} for note in self.decided.notes(entry.source.video)],
            "annotations": [self._annotation(entry, row) for row in entry.annotations],
            "findings": [
                self._finding(index, now.decisions[index]) for index in entry.findings if index in now.decisions
            ],
            "predictions": [
                {
                    "type": each.type,
                    "onset": _frame(each.onset, entry.step),
                    "offset": _frame(each.offset, entry.step),
                    "hit": each.hit,
                }
                for each in self.dataset.predicted.intervals.get(entry.source.video, [])
            ],
            "motion": None
            if shown is None
            else {
                "step": float(shown.step),
                "start": shown.start,
                "count": len(shown.levels[0][0]),
                "names": list(shown.names),
                "box": list(entry.features.box) if entry.features else [],
            },
            "doubtful_frames": {} if shown is None else shown.doubtful(),
        }

    def _extent(self, entry: Entry) -> dict[str, Any]:
        """First and last frame, missing ones, and the size of the frames; or why there are none."""
        try:
            files = self.frames.files(entry)
        except FrameError as error:
            annotated = [_frame(frame, entry.step) for row in entry.annotations for frame in _annotated(row)]
            last = max([*annotated, (entry.features.frames or 0) - 1 if entry.features else 0, 0])
            return {"first": 0, "last": last, "lacking": [], "no_frames": str(error), "width": 4, "height": 3}
        lacking: list[list[int]] = []
        for number in range(files.start, files.end):
            if number not in files.names:
                if lacking and lacking[-1][1] == number - 1:
                    lacking[-1][1] = number
                else:
                    lacking.append([number, number])
        return {
            "first": files.start,
            "last": files.end - 1,
            "lacking": lacking,
            "no_frames": None if files.names else "the folder holds no frames",
            "width": entry.source.width or (entry.features.width if entry.features else None) or 4,
            "height": entry.source.height or (entry.features.height if entry.features else None) or 3,
        }

    def _annotation(self, entry: Entry, row: Annotation) -> dict[str, Any]:
        decisions = self.decided.of_row(row)
        corrected = self.decided.corrected(row)
        frames = {
            name: None if (frame := getattr(corrected, name)) is None else _frame(frame, entry.step)
            for name in FRAME_FIELDS
        }
        return {
            "id": row.id,
            "expression": row.expression,
            "values": _values(corrected),
            "frames": frames,
            "range": self.decided.frame_range(row),
            "before": _values(row),
            "raw": {name: row.written(name) for name in EDITED if name in row.source_cells},
            "cells": {name: str(row.place(name)) for name in EDITED if name in row.source_cells},
            "place": str(row.place()),
            "class_3": corrected.class_3,
            "predicted": self.dataset.predicted.labels.get(row.id),
            "extra": row.extra,
            "corrected": {name: decision.id for name, decision in decisions.items() if name != "exclude"},
            "excluded": decisions["exclude"].id if "exclude" in decisions else None,
        }

    def findings(self, query: Mapping[str, str], start: int, count: int) -> dict[str, Any]:
        """Some of the findings that fit a query: ``code``, ``state`` (open, decided) and ``search``."""
        now = self._all()
        decisions = now.decisions
        fits = self._chosen(query, decisions)
        shown = fits[start : start + min(count, _MOST_ROWS)]
        return {
            "revision": now.revision,
            "total": len(fits),
            "start": start,
            "rows": [
                {
                    **self._finding(number, decisions[number]),
                    "videos": [
                        {"number": entry.number, "name": entry.name}
                        for entry in self.dataset.about(self.dataset.findings[number])[:3]
                    ],
                }
                for number in shown
            ],
        }

    def _chosen(self, query: Mapping[str, str], decisions: Mapping[int, Decision | None]) -> list[int]:
        words = fold(query.get("search", "")).split()
        findings = self.dataset.findings
        numbers = [
            number
            for number, decision in decisions.items()
            if query.get("code") in (None, "", (finding := findings[number]).code)
            and (query.get("state") or "all") in ("all", "open" if decision is None else "decided")
            and (query.get("severity") != "doubts" or WEIGHTS[finding.severity])
            and all(word in fold(f"{finding.message} {finding.video or ''} {finding.where}") for word in words)
        ]
        return sorted(numbers, key=lambda number: (SEVERITIES.index(findings[number].severity), findings[number].code))

    def _finding(self, number: int, decision: Decision | None) -> dict[str, Any]:
        finding = self.dataset.findings[number]
        code = all_codes()[finding.code]
        row = self.dataset.annotation(finding)
        column = store.column_of(row, finding)
        return {
            "number": number,
            "code": finding.code,
            "name": code.name,
            "severity": finding.severity,
            "message": finding.message,
            "where": finding.where,
            "expected": finding.expected,
            "found": finding.found,
            "fix": finding.fix or code.fix,
            "what": code.what,
            "why": code.why,
            "annotation": row.id if row else None,
            "column": column if column in EDITED else None,
            "video": finding.video,
            "relocates": finding.code == "ME202" and bool(finding.expected and self._layout(finding.path)),
            "decision": None if decision is None else _decision(decision),
            "caused": number in self._caused and finding.code != "ME132",
        }

    def _gap(self, row: Annotation) -> Finding | None:
        entry = self.dataset.entry_of(row)
        return None if entry is None else self.frames.gap(entry, row)

    # frames and motion

    def entry(self, number: int) -> Entry:
        """The video of a number.

        Raises:
            RefusedError: there is none.
        """
        if not 0 <= number < len(self.dataset.entries):
            raise RefusedError(f"there is no video {number}")
        return self.dataset.entries[number]

    def motion(self, number: int) -> Motion:
        """The features of a video.

        Raises:
            RefusedError: there are none.
        """
        shown = self._motion(self.entry(number))
        if shown is None:
            raise RefusedError("there are no features of this video")
        return shown

    @property
    def flow_method(self) -> FlowMethod:
        """The optical flow between two frames that are compared: that of the features, where there are any."""
        return self._method or FAST

    def _motion(self, entry: Entry) -> Motion | None:
        if self.dataset.features is None:
            return None
        kept = self._motions.get(entry.number)
        if kept is None:
            kept = (motion.read(self.dataset.features, entry),)
            self._motions.put(entry.number, kept)
        return kept[0]

    def strip(self, number: int, height: int) -> bytes:
        """A few small frames of a video, as JPEG: its apexes, or frames evenly spread."""
        entry = self.entry(number)
        files = self.frames.files(entry)
        middles = [frame for row in entry.annotations if (frame := _middle(row)) is not None]
        wanted = [_frame(frame, entry.step) for frame in middles if _frame(frame, entry.step) in files.names]
        spread = sorted(files.names)
        if not spread:
            raise FrameError("the folder holds no frames")
        parts = [spread[len(spread) * part // (2 * THUMBNAILS)] for part in range(1, 2 * THUMBNAILS, 2)]
        chosen = sorted(list(dict.fromkeys([*wanted, *parts]))[:THUMBNAILS])
        return self.frames.strip(entry, tuple(chosen), height)

    # decisions

    def decide(self, wishes: Sequence[Wish], batch: str | None = None) -> dict[str, Any]:
        """Save decisions of a page; what comes back names the findings that they cause.

        Args:
            wishes: what is decided.
            batch: given, ``me-datasets decide --undo`` takes them back together.

        Raises:
            RefusedError: one of them cannot be, or gives a cell a text that cannot be read; nothing is saved then.
            MeDatasetsError: they cannot be saved; nothing has changed then.
        """
        every = [self._decision_of(wish).model_copy(update={"batch": batch}) for wish in wishes]
        decisions = list({decision.key(): decision for decision in every}.values())  # several may be about one cell
        causes = self.decided.causes(decisions)
        for finding in causes:
            if finding.code in _UNREAD:
                raise RefusedError(f"{finding.message} ({finding.code})")
        self.decided.append(decisions)
        return {
            "decisions": [_decision(decision) for decision in decisions],
            "causes": [
                {"code": finding.code, "name": all_codes()[finding.code].name, "message": finding.message}
                for finding in causes
            ],
            "revision": self.revision,
        }

    def undo(self, identities: Sequence[str]) -> dict[str, Any]:
        """Take decisions back.

        Raises:
            RefusedError: there is none of an id.
            MeDatasetsError: it cannot be saved.
        """
        known = {decision.id for decision in self.decided.every}
        if unknown := [identity for identity in identities if identity not in known]:
            raise RefusedError(f"there is no decision '{printable(unknown[0])}'")
        dataset = self.dataset.manifest.spec.id
        self.decided.append([Decision(action="undo", undoes=identity, dataset=dataset) for identity in identities])
        return {"revision": self.revision}

    def decide_all(self, query: Mapping[str, str], action: str, note: str | None, expected: int) -> dict[str, Any]:
        """Accept all open findings that fit a query, or exclude their rows (their videos, where there is no row).

        Args:
            query: as in `findings`.
            action: ``accept``, ``exclude``, or ``count``, which saves nothing.
            note: why.
            expected: how many findings the page has shown; another number saves nothing.

        Raises:
            RefusedError: the number differs.
        """
        numbers = self._chosen({**query, "state": "open"}, self._all().decisions)
        abouts = {number: self._row_or_video(number) for number in numbers}
        targets = {about: number for number, about in abouts.items() if about is not None}
        if action == "count":
            rows = sum(is_row for is_row, _ in targets)
            neither = sum(about is None for about in abouts.values())
            return {"findings": len(numbers), "rows": rows, "videos": len(targets) - rows, "neither": neither}
        if expected != len(numbers):
            raise RefusedError(f"the findings that fit are {len(numbers)} by now, not {expected}; look again")
        if action == "accept":
            wishes = [Wish(action="accept", finding=number, note=note) for number in numbers]
        else:
            wishes = [Wish(action="exclude", row_of=number, note=note) for number in targets.values()]
        return self.decide(wishes, secrets.token_hex(8))

    def _row_or_video(self, number: int) -> tuple[bool, str] | None:
        """Whether a finding is about a row, and the row's id or the video's name; None where it names neither."""
        finding = self.dataset.findings[number]
        row = self.dataset.annotation(finding)
        if row is not None:
            return True, row.id
        return None if finding.video is None or finding.row is not None else (False, finding.video)

    def _decision_of(self, wish: Wish) -> Decision:
        manifest, note = self.dataset.manifest, wish.note or None
        if wish.action == "relocate":
            return self._relocation(wish)
        try:
            if wish.action == "correct":
                row = self._annotation_of(wish.annotation)
                return store.correct(manifest, row, wish.column or "", wish.value, note=note)
            return Decision(action=wish.action, note=note, **self._about(wish))
        except DecisionsError as error:
            raise RefusedError(error.what) from error
        except ValueError as error:
            raise RefusedError(f"'{wish.action}' is not possible here") from error

    def _about(self, wish: Wish) -> dict[str, Any]:
        manifest = self.dataset.manifest
        if wish.finding is not None:
            return store.about_finding(manifest, self._finding_of(wish.finding))
        if wish.annotation is not None:
            return store.about_row(manifest, self._annotation_of(wish.annotation))
        if wish.video is not None:
            source = self.entry(wish.video).source
            return store.about_video(manifest, source.video, source.subject)
        finding = self._finding_of(wish.row_of or 0)
        row = self.dataset.annotation(finding)
        if row is None:
            return store.about_video(manifest, finding.video or "", finding.subject)
        return store.about_row(manifest, row)

    def _finding_of(self, number: int) -> Finding:
        if not 0 <= number < len(self.dataset.findings):
            raise RefusedError(f"there is no finding {number}")
        return self.dataset.findings[number]

    def _annotation_of(self, identity: str | None) -> Annotation:
        row = next((row for row in self.dataset.manifest.annotations if row.id == identity), None)
        if row is None:
            raise RefusedError("there is no such annotation")
        return row

    def _relocation(self, wish: Wish) -> Decision:
        finding = self._finding_of(wish.finding or 0)
        layout = self._layout(finding.path)
        if finding.code != "ME202" or not finding.expected or layout is None:
            raise RefusedError("it is not known where this folder belongs")
        depth = self.dataset.manifest.spec.layout(layout).folder.count("/") + 1  # folders above are not the layout's
        found, belongs = ("/".join(str(path).split("/")[-depth:]) for path in (finding.path, finding.expected))
        return Decision(
            action="relocate",
            dataset=self.dataset.manifest.spec.id,
            layout=layout,
            found=found,
            belongs=belongs,
            note=wish.note or None,
        )

    def _layout(self, path: str | None) -> str | None:
        return next((video.layout for video in self.dataset.manifest.videos if path and video.path == path), None)


def _frame(annotated: int, step: Fraction) -> int:
    """The frame of the video that an annotated frame is."""
    return int(annotated * step)


def _middle(row: Annotation) -> int | None:
    return next(iter(_annotated(row)), None)


def _annotated(row: Annotation) -> list[int]:
    """The frames of a row that are annotated, the apex first."""
    return [frame for frame in (row.apex, row.onset, row.offset) if frame is not None]


def _values(row: Annotation) -> dict[str, Any]:
    """What a row says in the columns that can be corrected; action units as they are written."""
    units = row.corrected.get("aus", row.written("aus"))
    return {name: (units or None) if name == "aus" else getattr(row, name) for name in EDITED}


def _ids(decisions: Mapping[int, Decision | None]) -> dict[int, str | None]:
    return {number: None if decision is None else decision.id for number, decision in decisions.items()}


def _decision(decision: Decision) -> dict[str, Any]:
    fields = ("id", "action", "column", "old", "new", "note", "code", "row", "video", "when", "who")
    return {name: getattr(decision, name) for name in fields}


def _without_private(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if not name.startswith("_")}
