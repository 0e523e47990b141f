"""A file of third-party predictions, taken apart: one entry per image that was sent."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from datasets_me.core.errors import MeDatasetsError, Place
from datasets_me.core.text import clean, fold
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats import predictions
from datasets_me.formats.image_classes import Classes
from datasets_me.formats.predictions import SCORE, Predictions
from datasets_me.schema.predictions import PredictionSpec

_folded = lru_cache(4096)(fold)  # the same few words stand in every entry


class _Unread(str):
    """Why a line of a file of JSON lines is none."""


@dataclass(frozen=True)
class Entry:
    """What was said of one image: ``label`` and ``scores`` in their own words; neither where nothing was recognised.

    ``number`` is the line of a CSV, or the number of the entry, from 1.
    """

    image: str
    number: int
    label: str | None = None
    scores: dict[str, float] = field(default_factory=dict)
    faces: int = 0


def read(path: Path, spec: PredictionSpec, classes: Classes) -> tuple[list[Entry], list[Finding]]:
    """The entries of a CSV, a JSON, a file of JSON lines, or an npz (see `formats.predictions`).

    ``classes`` says whether a text is a class: of the cells of a plain row, those under such a title are scores, and
    those under a title that begins with ``score_``.

    Findings: ME724 an entry shows several faces, of which the first counts; ME725 an entry cannot be read.

    Raises:
        MeDatasetsError: the file cannot be read, or none of its entries names an image.
    """
    content = predictions.content_of(path)
    entries: list[Entry] = []
    findings: list[Finding] = []
    unnamed = 0
    for number, image, response in _responses(path, content, spec):
        place = Place(path.name, None, number)
        if isinstance(response, _Unread):
            findings.append(finding("ME725", f"the line is no JSON: {response}", place=place))
            continue
        if image is None:
            unnamed += 1
            findings.append(finding("ME725", f"the entry names no image ({' or '.join(spec.image[:4])})", place=place))
            continue
        faces = _faces(response, spec)
        if len(faces) > 1:
            message = f"{len(faces)} faces in the predictions; the first counts"
            findings.append(finding("ME724", message, place=place, path=image))
        label, scores, fault = _face(faces[0], spec, classes) if faces else (None, {}, None)
        if fault:
            message = f"{fault}; taken as not recognised"
            findings.append(finding("ME725", message, place=place, path=image))
            label, scores = None, {}
        entries.append(Entry(image, number, label, scores, len(faces)))
    if not entries:
        what = "no entry names an image" if unnamed else "the file holds no predictions"
        raise MeDatasetsError(what, where=str(path), fix=f"say by a schema what it looks like; {spec.id} was taken")
    return entries, findings


def _responses(path: Path, content: bytes, spec: PredictionSpec) -> Iterator[tuple[int, str | None, Any]]:
    """Number, image and what was said of it, of every entry."""
    if predictions.is_npz(content):
        yield from _of_arrays(predictions.read_npz(path, content), spec)
        return
    if content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] not in (b"{", b"["):
        text = predictions.text_of(path, content)
        _, rows, numbers = predictions.read_rows(path, text)
        for number, row in zip(numbers, map(_nested, rows), strict=True):
            yield number, _image(row, spec), row
        return
    # bytes that are no UTF-8 become escapes that JSON does not have: only their line cannot be read
    lines = _json_lines(content.decode("utf-8-sig", "backslashreplace"))
    if lines is not None:
        for number, entry in lines:
            yield number, None if isinstance(entry, _Unread) else _image(entry, spec), entry
        return
    yield from _of_json(_json(predictions.text_of(path, content), path), spec)


def _of_json(whole: Any, spec: PredictionSpec) -> Iterator[tuple[int, str | None, Any]]:
    """The entries of a JSON: a list of them, a mapping by image, or either within something else."""
    if isinstance(whole, dict):
        inner = next((value for place in spec.items if isinstance(value := _at(whole, place), list)), None)
        if inner is not None:
            whole = inner
        elif _image(whole, spec) is not None and len(whole) > 1:
            whole = [whole]  # one entry alone
    if isinstance(whole, dict):
        for number, (image, response) in enumerate(whole.items(), start=1):
            yield number, clean(image) or None, response
        return
    for number, entry in enumerate(whole, start=1):
        yield number, _image(entry, spec), entry


def _of_arrays(predictions: Predictions, spec: PredictionSpec) -> Iterator[tuple[int, str | None, Any]]:
    """The rows of an npz, with scores under the titles of scores and labels by name."""
    if predictions.scores is not None and not predictions.classes:
        raise MeDatasetsError(
            f"nothing names the {predictions.scores.shape[1]} classes of the scores",
            where=predictions.name,
            fix="add the array 'classes'",
        )
    for index, row in enumerate(predictions.rows):
        named = {name: predictions.class_named(text) if name in spec.label else text for name, text in row.items()}
        scores = [] if predictions.scores is None else predictions.scores[index].tolist()
        named.update({f"{SCORE}{name}": score for name, score in zip(predictions.classes, scores, strict=False)})
        yield predictions.numbers[index], _image(row, spec), named


def _nested(row: Mapping[str, str]) -> dict[str, Any]:
    """A row of a table whose titles are dotted paths, as tools write them that flatten JSON."""
    nested: dict[str, Any] = {}
    for name, value in row.items():
        *above, last = name.split(".")
        inside = nested
        for part in above:
            step = inside.setdefault(part, {})
            inside = step if isinstance(step, dict) else {}
        inside[last] = value
    return nested


def _json(text: str, path: Path) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MeDatasetsError(f"not JSON: {error}", where=str(path)) from error


def _json_lines(text: str) -> list[tuple[int, Any]] | None:
    """The entries of a file of JSON lines with their lines, those that cannot be read among them; None for others.

    A file that was cut off in the middle, or into which something else was written, still has its other lines.
    """
    lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if len(lines) < 2 or isinstance(_json_or_why(lines[0][1]), _Unread):
        return None
    return [(number, _json_or_why(line)) for number, line in lines]


def _json_or_why(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        return _Unread(error)


def _at(thing: Any, place: str) -> Any:
    for part in place.split(".") if place else ():
        if not isinstance(thing, Mapping):
            return None
        thing = next((value for name, value in thing.items() if _folded(str(name)) == _folded(part)), None)
    return thing


def _image(entry: Any, spec: PredictionSpec) -> str | None:
    for place in spec.image:
        value = _at(entry, place)
        if isinstance(value, str | int) and clean(str(value)):
            return clean(str(value))
    return None


def _faces(response: Any, spec: PredictionSpec) -> list[Any]:
    """The faces of a response; a response that is no list of faces is one itself."""
    lists = [value for place in spec.faces if isinstance(value := _at(response, place), list)]
    if lists:
        return lists[0]
    if isinstance(response, Mapping) and any(place in response for place in spec.faces):
        return []  # the list is there, and null
    if isinstance(response, list):
        return response
    return [] if response is None or response == {} else [response]


def _face(face: Any, spec: PredictionSpec, classes: Classes) -> tuple[str | None, dict[str, float], str | None]:
    """Label and scores of a face, and what is wrong with them."""
    if isinstance(face, str | int | float):
        text = clean(str(face))
        return (None if classes.nothing(text) else text), {}, None
    label = next((clean(str(value)) for place in spec.label if isinstance(value := _at(face, place), str | int)), None)
    if label is not None and classes.nothing(label):
        return None, {}, None
    for place in spec.scores:
        values = _at(face, place)
        if not isinstance(values, Mapping):
            continue
        of_classes = {
            clean(str(name)): value
            for name, value in values.items()
            if place or str(name).startswith(SCORE) or classes.known(str(name))
        }
        numbers = {
            name.removeprefix(SCORE): number
            for name, value in of_classes.items()
            if (number := _number(value)) is not None
        }
        bad = [name for name, number in numbers.items() if not math.isfinite(number) or number < 0]
        unread = [
            name
            for name, value in of_classes.items()
            if _number(value) is None and value is not None and str(value).strip()
        ]
        if unread:
            return None, {}, f"the score of '{unread[0]}' is no number: {str(of_classes[unread[0]])[:30]!r}"
        if bad:
            return None, {}, f"the score of '{bad[0]}' is {numbers[bad[0]]}"
        if numbers:
            return label, numbers, None
    if label is None and face and not _says_nothing(face, spec, classes):
        return None, {}, "neither a label nor scores were understood"
    return label, {}, None


def _says_nothing(face: Any, spec: PredictionSpec, classes: Classes) -> bool:
    """Whether there is a place for a label or for scores, and it is empty."""
    if any(_has(face, place) and _at(face, place) in (None, "") for place in spec.label):
        return True
    if any(place and isinstance(_at(face, place), Mapping) for place in spec.scores):
        return True
    return isinstance(face, Mapping) and any(str(name).startswith(SCORE) or classes.known(str(name)) for name in face)


def _has(thing: Any, place: str) -> bool:
    """Whether there is a field at a place, empty or not."""
    *above, last = place.split(".")
    inside = _at(thing, ".".join(above))
    return isinstance(inside, Mapping) and any(_folded(str(name)) == _folded(last) for name in inside)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return float(value)
    except ValueError:
        return None
