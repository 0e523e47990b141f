"""The decisions about a dataset as the pages show them: which doubts they settle, and what rows say with them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock

from datasets_me.core.errors import MeDatasetsError
from datasets_me.findings.finding import Finding
from datasets_me.formats import decisions as store
from datasets_me.formats.decisions import Decision
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation
from datasets_me.schema.spec import FRAME_FIELDS

Value = int | str | None

_Doubt = tuple[str, str | None, str | None, str | None, str | None]  # code, column, row's id, video, path


class Decided:
    """The decisions in a folder, which other programs may add to at the same time.

    ``unfit`` are those whose ground has changed, each with why. ``touched`` are the videos that any of them was about,
    undone or not.

    Args:
        manifest: what they are about.
        folder: where they lie; it is made with the first one.
    """

    def __init__(self, manifest: Manifest, folder: Path) -> None:
        self._manifest, self.folder = manifest, folder
        self._lock = Lock()
        self._stamp: tuple[int, int] | None = None
        self._of_place = {(row.source_file, row.source_sheet, row.source_row): row for row in manifest.annotations}
        self._parts: dict[str, Manifest] = {}  # what the manifest says of one video
        for row in manifest.annotations:
            self._part(row.video).annotations.append(row)
        for video in manifest.videos:
            self._part(video.video).videos.append(video)
        self.every: tuple[Decision, ...] = ()
        self.findings: tuple[Finding, ...] = ()
        self.touched: set[str | None] = set()
        self._clear()
        self.refresh()

    def _part(self, video: str) -> Manifest:
        if video not in self._parts:
            self._parts[video] = replace(self._manifest, annotations=[], videos=[])
        return self._parts[video]

    def _clear(self) -> None:
        self._verdicts: dict[_Doubt, Decision] = {}
        self._corrections: dict[str, dict[str, Decision]] = defaultdict(dict)
        self._without_row: dict[str, Decision] = {}
        self._without_video: dict[str, Decision] = {}
        self._relocated: dict[str, Decision] = {}
        self._notes: list[Decision] = []
        self.unfit: list[tuple[Decision, str]] = []

    @property
    def revision(self) -> str:
        """Another text after each decision, whoever took it."""
        return "-".join(map(str, self._stamp or (0, 0)))

    def refresh(self) -> None:
        """Take in what was decided since the last look.

        Raises:
            MeDatasetsError: the folder is damaged.
        """
        with self._lock:
            stamp = self._stamped()
            if stamp == self._stamp:
                return
            content = store.read(self.folder) if stamp is not None else store.Decisions(())
            self._clear()
            self.every, self.findings = content.rows, content.findings
            self.touched = {decision.video for decision in content.rows} | self.touched
            for decision in store.standing(content.rows):
                self._take(decision)
            self._stamp = stamp

    def append(self, decisions: Sequence[Decision]) -> None:
        """Save decisions; they are on the disk when this returns.

        Raises:
            MeDatasetsError: they cannot be saved; nothing has changed then.
        """
        store.append(self.folder, decisions)
        self.refresh()

    def of_finding(self, finding: Finding) -> Decision | None:
        """The decision that settles a finding: about it, its row, its cell or its video; None where it is open."""
        row = self._of_place.get((finding.file or "", finding.sheet, finding.row or 0))
        column = store.column_of(row, finding)
        if (own := self._verdicts.get(_doubt(finding, row, column))) is not None:
            return own
        if finding.video in self._without_video:
            return self._without_video[finding.video or ""]
        for found, decision in self._relocated.items():
            if f"/{finding.path}".endswith(f"/{found}"):
                return decision
        if row is None:
            return None
        if row.id in self._without_row:
            return self._without_row[row.id]
        corrections = self._corrections.get(row.id, {})
        columns = (column,) if column else FRAME_FIELDS
        return next((corrections[name] for name in columns if name in corrections), None)

    def of_row(self, row: Annotation) -> dict[str, Decision]:
        """The corrections of a row by column, and under ``exclude`` the decision that leaves it out."""
        own = dict(self._corrections.get(row.id, {}))
        without = self._without_row.get(row.id) or self._without_video.get(row.video)
        return own | ({"exclude": without} if without else {})

    def of_video(self, video: str) -> Decision | None:
        """The decision that leaves a whole video out."""
        return self._without_video.get(video)

    def notes(self, video: str) -> list[Decision]:
        """The notes about a video or its rows."""
        return [note for note in self._notes if note.video == video]

    def value(self, row: Annotation, column: str) -> Value:
        """What a column of a row says with its correction: a 0-based frame for onset, apex and offset, else a text."""
        decision = self._corrections.get(row.id, {}).get(column)
        if decision is None:
            return row.written("aus") if column == "aus" else getattr(row, column)
        text = decision.new or ""
        if not text:
            return None
        if column in FRAME_FIELDS:
            first = int(store.as_written(self._manifest, row, column, 0))
            return int(text) - first if text.isascii() and text.isdigit() else None
        if column == "type":
            return next((kind for kind in ("micro", "macro") if _spelled(self._manifest, row, kind) == text), text)
        return text

    def _take(self, decision: Decision) -> None:
        part = self._manifest if decision.video is None else self._part(decision.video)
        why = store.changed_ground(decision, part)
        if why is not None:
            self.unfit.append((decision, why))
            return
        if decision.action == "note":
            self._notes.append(decision)
        if decision.action == "relocate":
            self._relocated[decision.found or ""] = decision
        row = self._row(decision)
        if decision.action == "correct" and row is not None:
            self._corrections[row.id][decision.column or ""] = decision
        if decision.action in ("accept", "exclude") and decision.code is not None:
            about = row.id if row else None
            self._verdicts[decision.code, decision.column, about, decision.video, decision.path] = decision
        if decision.action == "exclude":
            if row is not None:
                self._without_row[row.id] = decision
            elif decision.video is not None:
                self._without_video[decision.video] = decision

    def _row(self, decision: Decision) -> Annotation | None:
        if decision.row is None:
            return None
        rows = store.rows_of(decision, self._part(decision.video or "").annotations)
        return rows[0] if rows else None

    def _stamped(self) -> tuple[int, int] | None:
        try:
            about = (self.folder / store.TABLE).stat()
        except OSError:
            return None
        return about.st_mtime_ns, about.st_size


def _doubt(finding: Finding, row: Annotation | None, column: str | None) -> _Doubt:
    if row is not None:
        return finding.code, column, row.id, row.video, None
    return finding.code, column, None, finding.video, finding.path


def _spelled(manifest: Manifest, row: Annotation, kind: str) -> str | None:
    try:
        return store.as_written(manifest, row, "type", kind)
    except MeDatasetsError:
        return None
