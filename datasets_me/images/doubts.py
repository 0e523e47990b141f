"""What an import counts while rows pass by, and the findings that follow from it in the end."""

from __future__ import annotations

from collections import Counter

from datasets_me.core.errors import Place, plural
from datasets_me.core.text import closest
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats.image_records import ImageRow
from datasets_me.schema.images import ImageSpec

_SHOWN = 5  # places that a message names


class Doubts:
    """Labels and splits that are not known, gathered by text, and numbers of images.

    A text that is not known is one finding, however many images have it.
    """

    def __init__(self, spec: ImageSpec) -> None:
        self._spec = spec
        self._unknown: dict[tuple[str, str], list[ImageRow]] = {}
        self._times: Counter[tuple[str, str]] = Counter()
        self._splits: Counter[str] = Counter()

    def count(self, row: ImageRow, split_raw: str | None = None) -> None:
        """Take note of a row, and of what it says of its split."""
        self._splits[row.split or ""] += 1
        if row.label_raw is not None and self._spec.label_of(row.label_raw) is None:
            self._add("label", row.label_raw, row)
        if row.split is None and split_raw:
            self._add("split", split_raw, row)

    def findings(self) -> list[Finding]:
        """What is to be said when all rows have passed."""
        findings = [self._unknown_text(kind, text, rows) for (kind, text), rows in self._unknown.items()]
        expected = self._spec.expected
        numbers = [("", expected.images, self._splits.total())]
        numbers += [(f" of the split {name}", number, self._splits[name]) for name, number in expected.splits.items()]
        findings += [
            finding(
                "ME707",
                f"{plural(count, 'image')}{what}; {wanted:,} are published",
                expected=str(wanted),
                found=str(count),
            )
            for what, wanted, count in numbers
            if wanted is not None and wanted != count
        ]
        return findings

    def _add(self, kind: str, text: str, row: ImageRow) -> None:
        self._times[kind, text] += 1
        places = self._unknown.setdefault((kind, text), [])
        if len(places) < _SHOWN:
            places.append(row.model_copy(update={"pixels": None}))

    def _unknown_text(self, kind: str, text: str, rows: list[ImageRow]) -> Finding:
        known = (
            [spelling for label, others in self._spec.labels.items() for spelling in (label, *others)]
            if kind == "label"
            else [spelling for split, others in self._spec.splits.items() for spelling in (split, *others)]
        )
        near = closest(text, known)
        times = self._times[kind, text]
        where = ", ".join(f"row {row.source_row}" if row.path is None else row.where for row in rows)
        more = f" and {times - len(rows):,} more" if times > len(rows) else ""
        return finding(
            "ME703",
            f"{kind} '{text}' is not known"
            + (f"; did you mean '{near}'?" if near else "")
            + f" ({plural(times, 'image')}: {where}{more})",
            place=Place(rows[0].source_file, row=rows[0].source_row) if rows[0].source_row else None,
            path=rows[0].path,
            found=text,
        )
