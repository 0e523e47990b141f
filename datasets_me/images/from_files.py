"""Images that are files, and what their paths and the lists beside them say."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from datasets_me.core.engine import Failure, in_order, workers_for
from datasets_me.core.errors import ImagesError, Place
from datasets_me.core.files import read_regular
from datasets_me.core.pictures import MOST_PIXELS, is_image_name, look, suffix_fits
from datasets_me.core.tables import Record
from datasets_me.core.text import printable
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats.image_names import origins_of
from datasets_me.formats.image_records import ImageRow
from datasets_me.formats.parts import Parts, resumed
from datasets_me.images import labels as labelling
from datasets_me.images.doubts import Doubts
from datasets_me.images.labels import Label, Labels
from datasets_me.images.paths import PathPattern, files_under
from datasets_me.schema.image_schemas import ImageSchema
from datasets_me.schema.images import KNOWN_FIELDS, LabelFiles

_IN_PATH = ("name", "suffix")  # fields that say nothing the path does not


@dataclass(frozen=True)
class _Named:
    """A file and the fields of its path."""

    path: str
    fields: dict[str, str]


class SeenFile(Record):
    """What a file's bytes say.

    ``stamp`` is its size and the time of its last change, empty where it cannot be read. ``sha256`` is that of the
    bytes, ``damage`` why they give no picture; the rest as in `core.pictures.Facts`.
    """

    path: str
    stamp: str = ""
    format: str | None = None
    width: int | None = None
    height: int | None = None
    size: int | None = None
    sha256: str | None = None
    damage: str | None = None


def usable_files(root: Path, findings: list[Finding]) -> Iterator[str]:
    """The files under a folder that can be used; of the others, images, folders and links are findings.

    Findings: ME706 it cannot be used.

    Raises:
        ImagesError: the root is no folder, or one in it cannot be read.
    """
    for path, fault in files_under(root):
        if fault is None:
            yield path
        elif is_image_name(path.rpartition("/")[2]) or (root / path).is_symlink() or (root / path).is_dir():
            findings.append(_unused(printable(path), fault))


class FilesReader:
    """One pass over a folder; ``source`` says what was read when the rows are through.

    ``findings`` gets what cannot be used. A file that cannot be decoded is a row with ``damage``, and a finding.
    """

    def __init__(
        self,
        schema: ImageSchema,
        root: Path,
        dataset: str,
        findings: list[Finding],
        *,
        most_pixels: int = MOST_PIXELS,
    ) -> None:
        if schema.spec.files is None:
            raise ValueError("the schema has no files")
        self._spec, self._files, self._root, self._dataset = schema.spec, schema.spec.files, root, dataset
        self._findings = findings
        self._most_pixels = most_pixels
        self._origins = origins_of(root)
        self._source: dict[str, Any] = {}

    @property
    def source(self) -> dict[str, Any]:
        """What was read; ``others`` counts files that are no images by suffix, ``left_out`` those of other layouts."""
        return self._source

    def labels_in_paths(self, paths: list[str]) -> set[str]:
        """The texts that stand for labels in the paths of the images.

        Raises:
            ImagesError: no image lies as the schema says.
        """
        return {each.fields[self._files.label] for each in self._images(paths)[0]}

    def rows(
        self,
        paths: list[str],
        progress: Callable[[int, int], None],
        workers: int | None,
        parts: Parts[SeenFile],
    ) -> Iterator[ImageRow]:
        """The images in order of their paths.

        Args:
            paths: all files under the root that can be used.
            progress: called with the number of images seen, and of all.
            workers: processes.
            parts: keeps what was seen.

        Raises:
            ImagesError: no image lies as the schema says, or the labels are missing.
        """
        named, left_out, others = self._images(paths)
        labels, label_of = self._labels(paths, named)
        self._source.update(
            name=self._root.resolve().name,
            files=[self._file(path) for path in labels.files] if self._files.label_list else [],
            label_files=len(labels.files),
            left_out=left_out,
            others=dict(sorted(others.items())),
        )
        doubts = Doubts(self._spec)
        see = partial(_see, self._root, self._most_pixels)

        def looked_at(some: Iterable[_Named]) -> Iterator[SeenFile]:
            outcomes = in_order(see, some, workers_for(workers, len(named)))
            return parts.keep(
                (
                    SeenFile(path=each.path, damage=seen.why) if isinstance(seen, Failure) else seen
                    for each, seen in outcomes
                ),
                [],
            )

        known = {
            each.path: each for each in parts.kept()[0] if each.stamp and each.stamp == _stamp(self._root, each.path)
        }
        files = resumed(lambda: named, lambda each: each.path, known, looked_at)
        for done, (each, seen) in enumerate(zip(named, files, strict=True), start=1):
            row = self._row(each, seen, *label_of(each))
            doubts.count(row)
            progress(done, len(named))
            yield row
        self._findings += doubts.findings()

    def _images(self, paths: list[str]) -> tuple[list[_Named], dict[str, int], Counter[str]]:
        """What `_named` gives, where there is at least one image.

        Raises:
            ImagesError: there is none.
        """
        named, left_out, others = self._named(paths)
        if not named and sum(others.values()) == len(paths):
            raise ImagesError(
                "there is no image under the source", where=str(self._root), fix="give the folder that holds the images"
            )
        if not named:
            patterns = ", ".join(layout.path for layout in self._files.layouts)
            raise ImagesError(
                f"no image under the source lies as the schema {self._spec.id} says: {patterns}",
                where=str(self._root),
                fix="give the folder above, or below, or another --schema",
            )
        return named, left_out, others

    def _named(self, paths: list[str]) -> tuple[list[_Named], dict[str, int], Counter[str]]:
        """Files of the layouts that are used; how many lie in others; and what else there is, by suffix."""
        patterns = [(each.id, PathPattern(each.path, self._spec, each.patterns)) for each in self._files.layouts]
        by_layout: dict[str, list[_Named]] = {name: [] for name, _ in patterns}
        others: Counter[str] = Counter()
        for path in paths:
            name = path.rpartition("/")[2]
            if not is_image_name(name):
                others[name.rpartition(".")[2].casefold() if "." in name else ""] += 1
                continue
            for layout, pattern in patterns:
                fields = pattern.fields_of(path)
                if fields is not None:
                    by_layout[layout].append(_Named(path, fields))
                    break
            else:
                self._findings.append(_unused(path, "its path is none that the schema knows"))
        used = [name for name, named in by_layout.items() if named]
        if self._files.choose == "first":
            used = used[:1]
        left_out = {name: len(named) for name, named in by_layout.items() if named and name not in used}
        return sorted((each for name in used for each in by_layout[name]), key=lambda each: each.path), left_out, others

    def _labels(
        self, paths: list[str], named: list[_Named]
    ) -> tuple[Labels, Callable[[_Named], tuple[str | None, str | None, Label | None]]]:
        """The labels read, and for each image: its label, the text it stands for, and where that stands."""
        files = self._files
        if files.label_list:
            rule = files.label_list
            labels = labelling.read_list(self._root, paths, rule, self._findings)
            self._missing(labels, {labelling.key_of(rule, each.fields) for each in named})
            for each in named:
                if labelling.key_of(rule, each.fields) not in labels.by_key:
                    self._unlabelled(each.path, f"{labels.files[0]} does not list it")

            def listed(each: _Named) -> tuple[str | None, str | None, Label | None]:
                label = labels.by_key.get(labelling.key_of(rule, each.fields))
                return (self._spec.label_of(label.text), label.text, label) if label else (None, None, None)

            return labels, listed
        if files.label_files:
            return self._sequence_labels(paths, named, files.label_files)

        def from_path(each: _Named) -> tuple[str | None, str | None, Label | None]:
            text = each.fields.get(files.label)
            return (self._spec.label_of(text) if text else None), text, None

        return Labels(), from_path

    def _sequence_labels(
        self, paths: list[str], named: list[_Named], rule: LabelFiles
    ) -> tuple[Labels, Callable[[_Named], tuple[str | None, str | None, Label | None]]]:
        labels = labelling.read_files(self._root, paths, rule, self._spec, self._findings)
        sequences: dict[str, list[_Named]] = defaultdict(list)
        for each in named:
            sequences[labelling.sequence_key(rule.by, each.fields)].append(each)
        self._missing(labels, set(sequences))
        by_path: dict[str, str | None] = {}
        for key, frames in sequences.items():
            label = labels.by_key.get(key)
            if label is None:
                self._unlabelled(
                    frames[0].path.rpartition("/")[0] or frames[0].path, f"no file labels the sequence {key}"
                )
                continue
            frames.sort(key=lambda each: (_number(each.fields) or 0, each.path))
            texts = labelling.label_frames(rule, len(frames), self._spec.label_of(label.text) or "")
            by_path.update((each.path, text or None) for each, text in zip(frames, texts, strict=True))

        def of_sequence(each: _Named) -> tuple[str | None, str | None, Label | None]:
            label = labels.by_key.get(labelling.sequence_key(rule.by, each.fields))
            return by_path.get(each.path), label.text if label else None, label

        return labels, of_sequence

    def _missing(self, labels: Labels, there: set[str]) -> None:
        for key, label in labels.by_key.items():
            if key not in there:
                place = Place(label.file, row=label.row)
                self._findings.append(finding("ME704", f"{key} has a label, but there is no such image", place=place))

    def _unlabelled(self, path: str, why: str) -> None:
        self._findings.append(finding("ME705", f"there is no label: {why}", path=path))

    def _row(
        self, each: _Named, seen: SeenFile, label: str | None, label_raw: str | None, place: Label | None
    ) -> ImageRow:
        fields = each.fields
        if seen.damage:
            self._findings.append(finding("ME702", f"the image cannot be decoded: {seen.damage}", path=each.path))
        if seen.format is not None and not suffix_fits(each.path, seen.format):
            self._findings.append(
                finding(
                    "ME708",
                    f"the content is {seen.format}",
                    path=each.path,
                    expected=each.path.rpartition(".")[2],
                    found=seen.format,
                )
            )
        split = fields.get("split")
        sequence = [fields[name] for name in self._files.sequence if name in fields]
        apart = {*KNOWN_FIELDS, *_IN_PATH, self._files.label}
        return ImageRow(
            id=each.path,
            dataset=self._dataset,
            path=each.path,
            split=self._spec.split_of(split) if split else None,
            label=label,
            label_raw=label_raw,
            subject=fields.get("subject"),
            sequence="/".join(sequence) or None,
            frame=_number(fields),
            width=seen.width,
            height=seen.height,
            format=seen.format,
            size=seen.size,
            sha256=seen.sha256,
            damage=seen.damage,
            source_file=place.file if place else each.path,
            source_row=place.row if place else None,
            extra={name: value for name, value in fields.items() if name not in apart},
            origins=self._origins.get(each.path, []),
        )

    def _file(self, path: str) -> dict[str, Any]:
        content = (self._root / path).read_bytes()
        return {"name": path, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def _number(fields: dict[str, str]) -> int | None:
    text = fields.get("frame", "")
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def _unused(path: str, why: str) -> Finding:
    return finding("ME706", f"the image is not used: {why}", path=path)


def _see(root: Path, most_pixels: int, each: _Named) -> SeenFile:
    stamp = _stamp(root, each.path)
    try:
        content = read_regular(root / each.path)
    except OSError as error:
        return SeenFile(path=each.path, damage=f"the file cannot be read: {error.strerror or error}")
    facts, damage = look(content, most_pixels)
    return SeenFile(
        path=each.path,
        stamp=stamp,
        format=facts.format if facts else None,
        width=facts.width if facts else None,
        height=facts.height if facts else None,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        damage=damage,
    )


def _stamp(root: Path, path: str) -> str:
    try:
        about = (root / path).stat()
    except OSError:
        return ""
    return f"{about.st_size}-{about.st_mtime_ns}"
