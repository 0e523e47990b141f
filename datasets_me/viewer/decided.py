"""The decisions about a dataset as the pages show them: which doubts they settle, and what rows say with them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

from datasets_me.convert.decided import MADE_AGAIN, apply_to_rows, beyond
from datasets_me.findings.finding import Finding
from datasets_me.formats import decisions as store
from datasets_me.formats.decisions import Decision
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation
from datasets_me.schema.spec import FRAME_FIELDS

Value = int | str | None

_GAP = "ME405"
_BOUNDS = ("onset", "offset")

_Doubt = tuple[str, str | None, Hashable, str | None]  # code, column, row's id or another place, path


@dataclass(frozen=True)
class _Applied:
    """What the corrections and exclusions of one video come to.

    ``outside`` are the reasons, by id, why some of them are not applied; ``rows`` are the corrected rows by id;
    ``caused`` are findings that were not there before, and ``gone`` the keys of those that no longer hold.
    """

    decisions: tuple[Decision, ...]
    outside: dict[str, str]
    rows: dict[str, Annotation]
    caused: list[Finding]
    gone: frozenset[tuple[str, str, str]]


class Decided:
    """The decisions in a folder, which other programs may add to at the same time.

    ``unfit`` are those that cannot be applied, each with why. ``touched`` are the videos that any of them was about,
    undone or not. ``caused`` are findings that corrections and exclusions bring about.

    Args:
        manifest: what they are about.
        folder: where they lie; it is made with the first one.
        gap: finds whether frames are missing inside a corrected row (ME405), for which its folder is looked at.
    """

    def __init__(self, manifest: Manifest, folder: Path, gap: Callable[[Annotation], Finding | None]) -> None:
        self._manifest, self.folder, self._gap = manifest, folder, gap
        self._lock = Lock()
        self._stamp: tuple[int, int] | None = None
        self._of_place = {(row.source_file, row.source_sheet, row.source_row): row for row in manifest.annotations}
        self._parts: dict[str, Manifest] = {}  # what the manifest says of one video
        for row in manifest.annotations:
            self._part(row.video).annotations.append(row)
        for video in manifest.videos:
            self._part(video.video).videos.append(video)
        for finding in manifest.findings:
            if finding.video is not None:
                self._part(finding.video).findings.append(finding)
        self.every: tuple[Decision, ...] = ()
        self.findings: tuple[Finding, ...] = ()
        self.touched: set[str | None] = set()
        self._applied: dict[str, _Applied] = {}
        self._clear()
        self.refresh()

    def _part(self, video: str) -> Manifest:
        if video not in self._parts:
            self._parts[video] = replace(self._manifest, annotations=[], videos=[], findings=[])
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

    @property
    def caused(self) -> list[Finding]:
        """The findings that corrections and exclusions bring about, and one about each decision that is not applied."""
        by_corrections = [finding for applied in self._applied.values() for finding in applied.caused]
        return by_corrections + [store.not_applied(decision, why) for decision, why in self.unfit]

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
            fit = [decision for decision in store.standing(content.rows) if self._fits(decision)]
            self._applied = self._apply(fit)
            outside = {name: why for applied in self._applied.values() for name, why in applied.outside.items()}
            for decision in fit:
                if decision.id in outside:
                    self.unfit.append((decision, outside[decision.id]))
                else:
                    self._take(decision)
            self._stamp = stamp

    def append(self, decisions: Sequence[Decision]) -> None:
        """Save decisions; they are on the disk when this returns.

        Raises:
            MeDatasetsError: they cannot be saved; nothing has changed then.
        """
        store.append(self.folder, decisions)
        self.refresh()

    def causes(self, decisions: Sequence[Decision]) -> list[Finding]:
        """The findings that decisions would bring about if they were saved."""
        videos = {decision.video for decision in decisions}
        standing = [each for name, applied in self._applied.items() if name in videos for each in applied.decisions]
        known = {_key(finding) for finding in self.caused}
        applied = self._apply(store.standing([*standing, *decisions]))
        return [finding for each in applied.values() for finding in each.caused if _key(finding) not in known]

    def of_finding(self, finding: Finding) -> Decision | None:
        """The decision that settles a finding: about it, its row, its cell or its video; None where it is open.

        A correction settles a finding that does not come again when the corrected row is read.
        """
        row = self._of_place.get((finding.file or "", finding.sheet, finding.row or 0))
        column = store.column_of(row, finding)
        if verdict := self._verdict(finding, row):
            return verdict
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
        of_cell = next((corrections[name] for name in columns if name in corrections), None)
        applied = self._applied.get(row.video)
        if finding.code == _GAP:
            again = applied is not None and _key(finding) in map(_key, applied.caused)
            return None if again else next((corrections[name] for name in _BOUNDS if name in corrections), None)
        if finding.code not in MADE_AGAIN:
            return of_cell
        if applied is None or _key(finding) not in applied.gone:
            return None
        return of_cell or next(iter(corrections.values()), applied.decisions[-1])

    def _verdict(self, finding: Finding, row: Annotation | None) -> Decision | None:
        """The decision that accepts a finding, or excludes what it is about for its sake."""
        about = row.id if row else store.elsewhere(finding)
        for path in (finding.path, None):  # one without a path is about any folder
            verdict = self._verdicts.get((finding.code, store.column_of(row, finding), about, path))
            if verdict and (verdict.action == "exclude" or store.changed_finding(verdict, finding, row) is None):
                return verdict
        return None

    def of_row(self, row: Annotation) -> dict[str, Decision]:
        """The corrections of a row by column, and under ``exclude`` the decision that leaves it out."""
        corrections = dict(self._corrections.get(row.id, {}))
        without = self._without_row.get(row.id) or self._without_video.get(row.video)
        return corrections | ({"exclude": without} if without else {})

    def of_video(self, video: str) -> Decision | None:
        """The decision that leaves a whole video out."""
        return self._without_video.get(video)

    def notes(self, video: str) -> list[Decision]:
        """The notes about a video or its rows."""
        return [note for note in self._notes if note.video == video]

    def corrected(self, row: Annotation) -> Annotation:
        """A row with its corrections."""
        applied = self._applied.get(row.video)
        return row if applied is None else applied.rows.get(row.id, row)

    def frame_range(self, row: Annotation) -> tuple[int, int] | None:
        """The first and the last frame of a row's video, at the row's rate; None where they are not known."""
        return store.frame_range(self._part(row.video), row)

    def _fits(self, decision: Decision) -> bool:
        part = self._manifest if decision.video is None else self._part(decision.video)
        why = store.changed_ground(decision, part)
        if why is not None:
            self.unfit.append((decision, why))
        return why is None

    def _apply(self, decisions: Sequence[Decision]) -> dict[str, _Applied]:
        """What the corrections and exclusions among some decisions come to, by video."""
        by_video: dict[str, list[Decision]] = defaultdict(list)
        for decision in decisions:
            if decision.action in ("correct", "exclude") and decision.video is not None:
                by_video[decision.video].append(decision)
        return {video: self._apply_to(video, tuple(chosen)) for video, chosen in by_video.items()}

    def _apply_to(self, video: str, decisions: tuple[Decision, ...]) -> _Applied:
        before = self._applied.get(video)
        if before is not None and before.decisions == decisions:
            return before
        part = self._part(video)
        trial, _ = apply_to_rows(part, [each for each in decisions if each.action == "correct"])
        outside = beyond(replace(part, annotations=trial), decisions)
        chosen = [each for each in decisions if each.id not in outside]
        corrected, _ = apply_to_rows(part, [each for each in chosen if each.action == "correct"])
        rows, findings = apply_to_rows(part, chosen)
        moved = {row.id for each in chosen if each.column in _BOUNDS for row in store.rows_of(each, part.annotations)}
        gaps = [gap for row in rows if row.id in moved and (gap := self._gap(row)) is not None]
        known, now = set(map(_key, part.findings)), set(map(_key, findings))
        return _Applied(
            decisions,
            outside,
            {row.id: row for row in corrected},
            [*(each for each in findings if each.code in MADE_AGAIN and _key(each) not in known), *gaps],
            frozenset(known - now),
        )

    def _take(self, decision: Decision) -> None:
        if decision.action == "note":
            self._notes.append(decision)
        if decision.action == "relocate":
            self._relocated[decision.found or ""] = decision
        row = self._row(decision)
        if decision.action == "correct" and row is not None:
            self._corrections[row.id][decision.column or ""] = decision
        if decision.action in ("accept", "exclude") and decision.code is not None:
            about = row.id if row else store.elsewhere(decision)
            self._verdicts[decision.code, decision.column, about, decision.path] = decision
        if decision.action == "exclude":
            if row is not None:
                self._without_row[row.id] = decision
            elif decision.video is not None:
                self._without_video[decision.video] = decision

    def _row(self, decision: Decision) -> Annotation | None:
        rows = store.rows_of(decision, self._part(decision.video or "").annotations)
        return rows[0] if rows else None

    def _stamped(self) -> tuple[int, int] | None:
        try:
            about = (self.folder / store.TABLE).stat()
        except OSError:
            return None
        return about.st_mtime_ns, about.st_size


def _key(finding: Finding) -> tuple[str, str, str]:
    return finding.code, finding.where, finding.message
