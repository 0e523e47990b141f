"""What the page shows and changes: doubtful images, and decisions that are saved one by one."""

from __future__ import annotations

from collections import Counter
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
from datasets_me.formats.image_records import PIXELS, ImageRow
from datasets_me.formats.image_set import ImageSet
from datasets_me.images import decisions as decided
from datasets_me.images.decisions import Decision, Verdict
from datasets_me.images.review.doubts import Doubtful, doubtful

LONGEST = 320
"""The longer side in px of the pictures on the page; larger ones are shrunk, smaller ones are sent as they are."""

_AT_ONCE = 500
_SEEN = 256  # pictures of tables that are kept in memory


class ReviewError(Exception):
    """A request of the page cannot be done; the text says why."""


class Review:
    """One review of a set. All methods may be called from several threads.

    Args:
        images: the set.
        root: the folder the files lie under.
        decisions: where decisions are saved; ``decisions.parquet`` of the set by default.
        every: show the images without doubts, too.

    Raises:
        MeDatasetsError: a table is damaged, or there is nothing to look at.
    """

    def __init__(
        self, images: ImageSet, root: Path | None, *, decisions: Path | None = None, every: bool = False
    ) -> None:
        self.images = images
        self.labels = tuple(images.spec.labels)
        self._root = images.root(root)
        self._path = decided.path_of(images, decisions)
        self._given = decisions
        self._lock = Lock()
        self.items = doubtful(images, every=every)
        if not self.items:
            raise ImagesError(
                "there is nothing doubtful in the set",
                where=str(images.folder),
                fix="run images faces, duplicates, quality or audit first; or look at every image with --every",
            )
        self._by_number = {item.number: item for item in self.items}
        self._decisions = decided.read(images, decisions)
        self._stamp = self._stamped()
        self._pixels: dict[int, ImageRow] = {}

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

    def page(self, *, code: str | None, state: str, start: int, count: int) -> dict[str, Any]:
        """Some of the images with a finding that are ``open``, ``decided`` or either (``all``)."""
        with self._lock:
            chosen = [
                item
                for item in self.items
                if (not code or any(own == code for own, _ in item.doubts))
                and (state == "all" or (item.row.id in self._decisions) == (state == "decided"))
            ]
            chosen.sort(key=lambda item: item.order(code))
            start, count = max(0, start), min(max(1, count), _AT_ONCE)
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
        if strangers := [number for number in numbers if number not in self._by_number]:
            raise ReviewError(f"there is no image {strangers[0]}")
        with self._lock, locked(self._path):
            made = dict(self._decisions if self._stamped() == self._stamp else decided.read(self.images, self._given))
            for number in numbers:
                item = self._by_number[number]
                if verdict is None:
                    made.pop(item.row.id, None)
                else:
                    made[item.row.id] = Decision(
                        id=item.row.id,
                        dataset=item.row.dataset,
                        sha256=item.row.sha256,
                        made_from=decided.originals(item.row),
                        decision=verdict,
                        label_was=item.row.label,
                        label=label if verdict == "relabel" else None,
                        doubts=sorted({code for code, _ in item.doubts}),
                    )
            decided.write(self.images, made.values(), self._given)
            self._decisions, self._stamp = made, self._stamped()
            return {"items": [self._shown(self._by_number[number]) for number in numbers], **self._progress()}

    def picture(self, number: int) -> tuple[bytes, str]:
        """A picture of an image, upright and of at most `LONGEST` px, and its media type.

        Raises:
            ReviewError: there is no such image to look at, or it cannot be decoded.
        """
        item = self._by_number.get(number)
        if item is None:
            raise ReviewError(f"there is no image {number}")
        row = item.row
        if row.format == PIXELS:
            row = self._with_pixels(number)
        image = image_set.load_image(row, self._root)
        if isinstance(image, str):
            raise ReviewError(image)
        factor = max(image.shape[:2]) / LONGEST
        if factor > 1:
            size = (max(1, round(image.shape[1] / factor)), max(1, round(image.shape[0] / factor)))
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        if factor > 1:
            return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes(), "image/jpeg"
        return cv2.imencode(".png", image)[1].tobytes(), "image/png"

    def _with_pixels(self, number: int) -> ImageRow:
        """A row of a table with its pixels; its neighbours are kept, because the page asks for them next."""
        with self._lock:
            if number not in self._pixels:
                self._pixels.clear()
                first = number - number % _SEEN
                for at, batch in enumerate(self.images.batches(_SEEN)):
                    if at == number // _SEEN:
                        self._pixels = dict(enumerate(batch, start=first))
                        break
            return self._pixels[number]

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
            "changed": decision is not None and not decided.holds(decision, item.row),
        }

    def _stamped(self) -> tuple[int, int, int] | None:
        try:
            about = self._path.stat()
        except OSError:
            return None
        return about.st_mtime_ns, about.st_size, about.st_ino
