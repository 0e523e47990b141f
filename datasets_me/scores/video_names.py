"""Which video a prediction means, whatever name of it is used.

Predictions from this program's exports name a video as the manifest does. Other files use the names of the workbook
(participant 1, ``anger1``) or of the folder (``15_0401girlcrashing``, ``006_1``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from datasets_me.core.text import clean, plain_number, same
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation, Video
from datasets_me.schema import naming
from datasets_me.schema.patterns import matcher
from datasets_me.schema.spec import NameRules, Spec
from datasets_me.schema.template import Template
from datasets_me.scores.truth import Index

_Pair = tuple[str, str]  # subject ("" for any), video


class VideoNames:
    """Finds videos by the manifest's names, then by the workbook's, then by those of folders."""

    def __init__(self, manifests: Sequence[Manifest], videos: Sequence[Annotation | Video]) -> None:
        self._index = Index(videos)
        positions = {(video.dataset, video.video): position for position, video in enumerate(videos)}
        self._datasets = [video.dataset for video in videos]
        self._tables: tuple[dict[_Pair, set[int]], ...] = (defaultdict(set), defaultdict(set))
        for manifest in manifests:
            rows: list[Annotation | Video] = [*manifest.annotations, *manifest.videos]
            for row in rows:
                position = positions.get((row.dataset, row.video))
                if position is not None:
                    for table, (subjects, names) in zip(self._tables, _others(manifest.spec, row), strict=True):
                        for pair in ((subject, name) for subject in ("", *subjects) for name in names):
                            table[pair].add(position)

    def find(self, keys: Mapping[str, str]) -> list[int]:
        """Positions of the videos that ``dataset``, ``subject`` and ``video`` name."""
        named = {name: keys[name] for name in ("dataset", "subject", "video") if name in keys}
        if exact := self._index.find(named):
            return exact
        dataset = named.get("dataset")
        pair = _form(named.get("subject", "")), _form(named.get("video", ""))
        for table in self._tables:
            fits = [at for at in sorted(table.get(pair, ())) if dataset is None or same(self._datasets[at], dataset)]
            if fits:
                return fits
        return []


def _others(spec: Spec, row: Annotation | Video) -> Iterator[tuple[set[str], set[str]]]:
    """The names of a row's subject and of its video, first in the workbook, then on disk."""
    cells = row.extra if isinstance(row, Annotation) else {}
    known = naming.derive(spec.names, {**cells, "subject_name": row.subject or "", "video_name": row.video})
    subjects = set(_origins(spec.names, spec.names.subject, cells, known))
    names = set(_origins(spec.names, spec.names.video, cells, known))
    yield {_form(text) for text in subjects}, {_form(text) for text in names if not text.isdigit()}
    folders = [PurePosixPath(row.path).stem] if isinstance(row, Video) and row.path else []
    for layout in spec.layouts:
        template = Template(layout.folder)
        if layout.holds == "video" and all(field in known for field in template.fields):
            folders.append(PurePosixPath(template.render(known)).name)
    number = "".join(filter(str.isdigit, row.subject or ""))
    yield {_form(text) for text in (row.subject or "", number, *subjects) if text}, {_form(name) for name in folders}


def _origins(names: NameRules, template: str, cells: Mapping[str, str], known: Mapping[str, str]) -> Iterator[str]:
    """The cells of the workbook, whole or split, from which the fields of a name come."""
    for field in Template(template).fields:
        origin = names.lookups[field].by if field in names.lookups else field
        if origin in cells:
            yield cells[origin]
        for column, pattern in names.split.items():
            if column in cells and origin in known and origin in matcher(pattern).groups:
                yield from (cells[column], known[origin])


def _form(text: str) -> str:
    return plain_number(clean(text).casefold())
