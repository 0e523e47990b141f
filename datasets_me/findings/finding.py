"""A finding: one doubt about the data, with its place and what to do."""

from __future__ import annotations

from datasets_me.core.errors import Place
from datasets_me.core.tables import Record
from datasets_me.findings.codes import Severity, all_codes


class Finding(Record):
    """One doubt, with its place, the expected and the actual value, and what to do."""

    code: str
    severity: Severity
    message: str
    file: str | None = None
    sheet: str | None = None
    row: int | None = None
    column: str | None = None
    subject: str | None = None
    video: str | None = None
    path: str | None = None
    expected: str | None = None
    found: str | None = None
    fix: str | None = None

    @property
    def where(self) -> str:
        """The place as one short text: a cell and a path, whichever are known, else the video."""
        place = str(Place(self.file, self.sheet, self.row, self.column))
        return "; ".join(part for part in (place, self.path) if part) or self.video or ""


def finding(code: str, message: str, *, place: Place | None = None, **fields: str | None) -> Finding:
    """A finding with the severity of its code, and with the advice of its code unless ``fix`` is given."""
    entry = all_codes()[code]
    where = place or Place()
    return Finding(
        code=code,
        severity=entry.severity,
        message=message,
        file=where.file,
        sheet=where.sheet,
        row=where.row,
        column=where.column,
        **{"fix": entry.fix, **fields},
    )
