"""Labels that stand in text files beside the images: one list for all, or one file per sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from datasets_me.core.errors import ImagesError, Place
from datasets_me.findings.finding import Finding, finding
from datasets_me.images.paths import PathPattern
from datasets_me.schema.images import ImageSpec, LabelFiles, LabelList
from datasets_me.schema.patterns import matcher
from datasets_me.schema.template import Template


@dataclass(frozen=True)
class Label:
    """A label as it is written, and where."""

    text: str
    file: str
    row: int


@dataclass
class Labels:
    """Labels by key: the name of an image, or that of a sequence; and the files they were read from."""

    by_key: dict[str, Label] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)

    def add(self, key: str, label: Label, findings: list[Finding]) -> None:
        """Keep a label; a second one of another text is a finding."""
        before = self.by_key.setdefault(key, label)
        if before is not label and before.text != label.text:
            findings.append(
                finding(
                    "ME701",
                    f"{key} is given the label '{label.text}' here, and '{before.text}' in {before.file},"
                    f" row {before.row}, which was taken",
                    place=Place(label.file, row=label.row),
                )
            )


def read_list(root: Path, paths: Sequence[str], rule: LabelList, findings: list[Finding]) -> Labels:
    """The labels of a list that has one line per image; keys are in lower case.

    Raises:
        ImagesError: there is no such file, or it cannot be read.
    """
    names = {name.casefold() for name in rule.files}
    lists = [path for path in paths if path.rpartition("/")[2].casefold() in names]
    if not lists:
        raise ImagesError(
            f"there is no {' or '.join(rule.files)}, which holds the labels",
            where=str(root),
            fix="give the folder that holds both the list and the images",
        )
    labels, line_is = Labels(files=lists), matcher(rule.line, ignore_case=False)
    for path in lists:
        for number, line in enumerate(_text(root, path).splitlines(), start=1):
            fields = line_is.fields(line.strip()) or {}
            if fields.keys() >= {"key", "label"}:
                labels.add(fields["key"].casefold(), Label(fields["label"], path, number), findings)
            elif line.strip():
                place = Place(path, row=number)
                findings.append(finding("ME701", f"the line names no image: '{line.strip()[:60]}'", place=place))
    return labels


def key_of(rule: LabelList, fields: dict[str, str]) -> str:
    """What an image with these fields is called in the list."""
    return Template(rule.key).render(fields).casefold()


def read_files(root: Path, paths: Sequence[str], rule: LabelFiles, spec: ImageSpec, findings: list[Finding]) -> Labels:
    """The labels of sequences, each from a file of its own; keys are those of `sequence_key`.

    Raises:
        ImagesError: a file cannot be read.
    """
    labels, pattern = Labels(), PathPattern(rule.path, spec)
    for path in paths:
        fields = pattern.fields_of(path)
        if fields is None:
            continue
        labels.files.append(path)
        text = _text(root, path).strip()
        if rule.number:
            try:
                text = f"{float(text):g}"
            except ValueError:
                findings.append(finding("ME701", f"the file holds no number: '{text[:60]}'", place=Place(path, row=1)))
                continue
        labels.add(sequence_key(rule.by, fields), Label(text, path, 1), findings)
    return labels


def sequence_key(names: Sequence[str], fields: dict[str, str]) -> str:
    """What a sequence is called: the fields that name it, with ``/``."""
    return "/".join(fields[name] for name in names)


def label_frames(rule: LabelFiles, count: int, label: str) -> list[str | None]:
    """The labels of a sequence of so many frames, in order; None where nobody says anything.

    Where the frames at both ends are more than there are, those at the start keep theirs, and one is left for the end.
    """
    labels: list[str | None] = [None] * count
    for at in range(max(0, count - rule.last), count):
        labels[at] = label
    for at in range(min(rule.first, count - 1)):
        labels[at] = rule.first_label
    return labels


def _text(root: Path, path: str) -> str:
    try:
        return (root / path).read_text(encoding="utf-8-sig", errors="backslashreplace")
    except OSError as error:
        raise ImagesError(f"the file cannot be read: {error.strerror or error}", where=str(root / path)) from error
