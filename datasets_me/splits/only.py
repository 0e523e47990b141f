"""A published list of expressions, such as that of a challenge, tied to the rows of manifests.

A line names a dataset, a subject and a clip: ``casme2,sub01,EP02_01f,1``. What follows is not read; a first line that
names no dataset is a header. Datasets may go by any alias, and numbers may be padded otherwise than in the manifest.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

from datasets_me.core.errors import Place, SplitError, plural
from datasets_me.core.files import read_regular
from datasets_me.core.text import fold
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation
from datasets_me.splits.items import SplitItem, of

_MOST_BYTES = 10_000_000

Key = tuple[str, str, str]
"""Dataset, number of the subject, and clip, in one spelling."""


def listed(path: Path, manifests: Sequence[Manifest]) -> tuple[set[SplitItem], list[Finding]]:
    """The items of the expressions that a list names, and a finding for each line that names none.

    Raises:
        SplitError: the list cannot be read, or names nothing of the manifests.
    """
    try:
        text = read_regular(path, _MOST_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SplitError(
            f"the list cannot be read: {getattr(error, 'strerror', None) or error}", where=str(path)
        ) from error
    lines = [(number, cells) for number, cells in enumerate(csv.reader(io.StringIO(text)), start=1) if any(cells)]
    names = {
        fold(alias): manifest.spec.id
        for manifest in manifests
        for alias in (manifest.spec.id, manifest.spec.title, *manifest.spec.aliases)
    }
    rows: dict[Key, Annotation] = {}
    for row in (row for manifest in manifests for row in manifest.annotations):
        rows.setdefault(_key(row.dataset, row.subject, row.expression or row.video), row)
    items: set[SplitItem] = set()
    findings: list[Finding] = []
    for number, cells in lines:
        dataset = names.get(fold(cells[0]))
        named = rows.get(_key(dataset, cells[1], cells[2])) if dataset and len(cells) > 2 else None
        if named is not None:
            items.add(of(named))
        elif number > 1 or dataset is not None:
            what = ", ".join(cells[:3])
            why = (
                "no expression of its manifest has this name" if dataset else "none of the manifests is of this dataset"
            )
            findings.append(finding("ME535", f"{what}: {why}", place=Place(file=path.name, row=number)))
    if not items:
        message = f"none of its {plural(len(lines), 'line')} names an expression of the manifests"
        raise SplitError(
            message, where=str(path), fix="a line is: dataset, subject, clip; such as casme2,sub01,EP02_01f"
        )
    return items, findings


def _key(dataset: str, subject: str, clip: str) -> Key:
    digits = re.findall(r"\d+", subject)
    return dataset, str(int(digits[-1])) if digits else subject.casefold(), _unpadded(clip)


def _unpadded(text: str) -> str:
    return re.sub(r"\d+", lambda digits: str(int(digits[0])), text.strip().casefold())
