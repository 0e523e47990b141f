"""What the page shows and changes: doubtful images, and decisions that are saved one by one."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import cv2
import numpy as np

from datasets_me.core.errors import ImagesError
from datasets_me.core.locks import locked
from datasets_me.findings.codes import all_codes
from datasets_me.formats import image_set
from datasets_me.formats.image_records import PIXELS
from datasets_me.formats.image_set import ImageSet
from datasets_me.images import decisions as deciding
from datasets_me.images.bulk import bulk, save, undo
from datasets_me.images.decisions import Verdict, decision_about
from datasets_me.images.review.doubts import Doubtful, doubtful

LONGEST = 320
"""The longer side in px of the pictures on the page; larger ones are shrunk, smaller ones are sent as they are."""

_AT_ONCE = 500
_GROUPS = 8  # of a table whose pixels are kept in memory


class ReviewError(Exception):
    """A request of the page cannot be done; the text says why."""


class Review:
    """One review of a set. All methods may be called from several threads.

    Args:
        images: the set.
        root: the folder the files lie under.
        decisions: where decisions are saved; ``decisions.parquet`` of the set by default.
        every: show the images without doubts, too.
        new_classes: further classes that images may be given.

    Raises:
        MeDatasetsError: a table is damaged, or there is nothing to look at.
    """

    def __init__(
        self,
        images: ImageSet,
        root: Path | None,
        *,
        decisions: Path | None = None,
        every: bool = False,
        new_classes: Sequence[str] = (),
    ) -> None:
        for name in new_classes:
            deciding.check_new_class(images, name)
        self.images = images
        self._decisions = deciding.read(images, decisions)
        added = [each.label for each in self._decisions.values() if each.new_class and each.label is not None]
        self.labels = tuple(dict.fromkeys([*images.spec.labels, *new_classes, *sorted(added)]))
        self._root = images.root(root)
        self._path = deciding.path_of(images, decisions)
        self._given = decisions
        self._lock = Lock()
        self.items = doubtful(images, every=every)
        if not self.items:
            raise ImagesError(
                "there is nothing doubtful in the set",
                where=str(images.folder),
                fix="run images faces, duplicates, quality or audit first; or look at every image with me-datasets "
                "images review --every",
            )
        self._by_number = {item.number: item for item in self.items}
        self._stamp = self._stamped()
        self._pixels: OrderedDict[int, Any] = OrderedDict()
        self._pixels_lock = Lock()

    def overview(self) -> dict[str, Any]:
        """What the page needs to begin: the set, its labels, and how many images have which finding."""
        counts = Counter(code for item in self.items for code in {code for code, _ in item.doubts})
        codes = all_codes()
        return {
            "dataset": self.images.dataset,
            "labels": list(self.labels),
            "codes": [{"code": code, "name": codes[code].name, "count": counts[code]} for code in sorted(counts)],
            **self._progress(),
        }

    def page(
        self,
        *,
        code: str | None,
        state: str,
        start: int = 0,
        count: int,
        after: int | None = None,
        before: int | None = None,
    ) -> dict[str, Any]:
        """Some of the images with a finding that are ``open``, ``decided`` or either (``all``).

        Args:
            code: of the finding; None for any.
            state: which of them.
            start: the place of the first one, from 0.
            count: how many.
            after: the number of an image: those behind it are shown, whether or not it is still among them. The list of
                open images shrinks with every decision, so that a place in it says nothing.
            before: the same for those in front of it.

        Raises:
            ReviewError: ``after`` or ``before`` is no image to look at.
        """
        with self._lock:
            self._refresh()
            chosen = [
                item
                for item in self.items
                if (not code or any(name == code for name, _ in item.doubts))
                and (state == "all" or (item.row.id in self._decisions) == (state == "decided"))
            ]
            chosen.sort(key=lambda item: item.order(code))
            start, count = max(0, start), min(max(1, count), _AT_ONCE)
            if after is not None:
                start = sum(item.order(code) <= self._item(after).order(code) for item in chosen)
            elif before is not None:
                start = max(0, sum(item.order(code) < self._item(before).order(code) for item in chosen) - count)
            shown = [self._shown(item) for item in chosen[start : start + count]]
            return {"total": len(chosen), "start": start, "items": shown, **self._progress()}

    def decide(self, numbers: Sequence[int], verdict: Verdict | None, label: str | None = None) -> dict[str, Any]:
        """Save a decision about some images; None takes one back.

        What another program saved meanwhile is kept: the file is read again where it changed.

        Raises:
            ReviewError: an image is not among those to look at, or the label is none of the set's.
            MeDatasetsError: the file cannot be written; nothing has changed then.
        """
        if verdict == "relabel" and label not in self.labels:
            raise ReviewError(f"'{label}' is no label of the set")
        items = [self._item(number) for number in numbers]
        with self._lock, locked(self._path):
            self._refresh()
            decisions = dict(self._decisions)
            for item in items:
                if verdict is None:
                    decisions.pop(item.row.id, None)
                else:
                    decisions[item.row.id] = decision_about(
                        item.row,
                        verdict,
                        label,
                        doubts=[code for code, _ in item.doubts],
                        new_class=label not in self.images.spec.labels,
                    )
            deciding.write(self.images, decisions.values(), self._given)
            self._decisions, self._stamp = decisions, self._stamped()
            return {"items": [self._shown(item) for item in items], **self._progress()}

    @property
    def revision(self) -> str:
        """Another text whenever the decisions have changed, here or elsewhere."""
        return str(self._stamped())

    def decide_all(self, code: str, verdict: Verdict, label: str | None, expected: int | None) -> dict[str, Any]:
        """Decide about all undecided images with a finding, as ``images decide`` does.

        Args:
            code: of the finding.
            verdict: what is decided.
            label: for ``relabel``, a label of the set or `PREDICTED`.
            expected: how many decisions were announced; None only counts them.

        Raises:
            ReviewError: by now there are others than were announced.
            MeDatasetsError: the label is none of the set's, or a table cannot be read or written.
        """
        plan = bulk(self.images, [code], verdict, label, decisions=self._given)
        count = len(plan.decisions)
        if expected is not None and expected != count:
            raise ReviewError(f"there are {count} images to decide about by now, not {expected}; look again")
        if expected:
            save(self.images, plan, self._given)
        return {"images": count, "unchanged": dict(plan.unchanged)}

    def undo_all(self) -> dict[str, Any]:
        """Take back what `decide_all` saved last.

        Raises:
            MeDatasetsError: there is nothing to take back, or a file cannot be written.
        """
        count, since = undo(self.images, self._given)
        return {"images": count, "decided_since": len(since)}

    def picture(self, number: int) -> tuple[bytes, str]:
        """A picture of an image, upright and of at most `LONGEST` px, and its media type.

        Raises:
            ReviewError: there is no such image to look at, or it cannot be decoded.
        """
        row = self._item(number).row
        if row.format == PIXELS:
            row = row.model_copy(update={"pixels": self._pixels_of(number)})
        image = image_set.load_image(row, self._root, LONGEST)
        if isinstance(image, str):
            raise ReviewError(image)
        factor = max(image.shape[:2]) / LONGEST
        if factor > 1:
            size = (max(1, round(image.shape[1] / factor)), max(1, round(image.shape[0] / factor)))
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        if factor > 1:
            return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes(), "image/jpeg"
        return cv2.imencode(".png", image)[1].tobytes(), "image/png"

    def _item(self, number: int) -> Doubtful:
        item = self._by_number.get(number)
        if item is None:
            raise ReviewError(f"there is no image {number}")
        return item

    def _pixels_of(self, number: int) -> bytes | None:
        """The pixels of an image of a table. Only its group is read, and kept, because its neighbours are asked for."""
        group, place = self.images.group_of(number)
        with self._pixels_lock:
            if group not in self._pixels:
                self._pixels[group] = self.images.pixels_of_group(group)
                while len(self._pixels) > _GROUPS:
                    self._pixels.popitem(last=False)
            self._pixels.move_to_end(group)
            column = self._pixels[group]
        pixels: bytes | None = column[place].as_py()
        return pixels

    def _progress(self) -> dict[str, Any]:
        done = Counter(self._decisions[item.row.id].decision for item in self.items if item.row.id in self._decisions)
        return {"images": len(self.items), "decided": done.total(), "decisions": dict(sorted(done.items()))}

    def _shown(self, item: Doubtful) -> dict[str, Any]:
        decision = self._decisions.get(item.row.id)
        return {
            "number": item.number,
            "id": item.row.id,
            "label": item.row.label,
            "label_raw": item.row.label_raw,
            "split": item.row.split,
            "predicted": item.predicted,
            "suggested": item.suggested,
            "doubts": [{"code": code, "text": text} for code, text in item.doubts],
            "cluster": item.cluster,
            "decision": decision.decision if decision else None,
            "new_label": decision.label if decision else None,
            "changed": decision is not None and not deciding.holds(decision, item.row),
        }

    def _refresh(self) -> None:
        """Read the decisions again if somebody else saved some."""
        stamp = self._stamped()
        if stamp != self._stamp:
            self._decisions, self._stamp = deciding.read(self.images, self._given), stamp

    def _stamped(self) -> tuple[int, int, int] | None:
        try:
            about = self._path.stat()
        except OSError:
            return None
        return about.st_mtime_ns, about.st_size, about.st_ino
