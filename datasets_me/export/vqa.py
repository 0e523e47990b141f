"""``me-datasets export vqa``: questions about expressions and their answers, as in MEGC 2025.

One JSON object in each line (`QuestionLine`). For each expression: its coarse and its fine-grained class, its action
units, on which side one of them is that is not on both, whether one is shown that is, whether one is shown that is not,
and all together. Which unit the last three are about is drawn; the same seed draws the same.

The coarse class is that of the composite ``megc2019`` where the schema has one, and rows that it does not use are left
out, otherwise ``class_3``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from datasets_me.core import resources
from datasets_me.core.artefact import write_file
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats.manifest import Manifest, refuse_twice
from datasets_me.formats.records import ActionUnit, Annotation
from datasets_me.schema import naming, yaml_files
from datasets_me.schema.spec import Spec
from datasets_me.schema.template import Template

COMPOSITE = "megc2019"


@dataclass(frozen=True)
class QuestionLine:
    """A question about an expression, in the names of MEGC 2025."""

    id: str
    dataset: str
    image_id: str
    subject: str
    filename: str
    question: str
    answer: str


@dataclass(frozen=True)
class Questions:
    """The lines, the number of expressions that they are about, and findings about those that are left out."""

    lines: list[QuestionLine]
    expressions: int
    findings: list[Finding]


def questions(manifests: Sequence[Manifest], *, seed: int = 0) -> Questions:
    """Questions about the expressions of some datasets, in order.

    Raises:
        ManifestError: one dataset is given twice.
    """
    refuse_twice(manifests)
    lines, findings, expressions = list[QuestionLine](), list[Finding](), 0
    for manifest in manifests:
        findings += manifest.notices
        known = sorted({unit.au for row in manifest.annotations for unit in _certain(row)})
        for row in manifest.annotations:
            coarse, why = _coarse(manifest.spec, row)
            if coarse is None:
                message = f"there are no questions about {row.id}: {why}"
                findings.append(finding("ME518", message, place=row.place(), subject=row.subject, video=row.video))
                continue
            expressions += 1
            lines += _lines(manifest.spec, row, coarse, known, seed)
    return Questions(lines, expressions, findings)


def write(lines: Sequence[QuestionLine], path: Path) -> None:
    """Write the lines as JSONL.

    Raises:
        WriteError: it cannot be written.
    """
    write_file(path, "".join(json.dumps(asdict(line), ensure_ascii=False) + "\n" for line in lines).encode())


def _coarse(spec: Spec, row: Annotation) -> tuple[str | None, str]:
    """The coarse class of a row; why there is none."""
    if row.emotion is None:
        return None, "the emotion is unknown"
    if not _certain(row):
        return None, "no action unit is certain"
    composite = spec.composites.get(COMPOSITE)
    if composite is None:
        return row.class_3, f"'{row.emotion}' is in none of the three classes"
    why = composite.why_not(row.subject, row.expression, row.emotion)
    if why is not None:
        return None, why
    return next(name for name, labels in composite.classes.items() if row.emotion in labels), ""


def _certain(row: Annotation) -> list[ActionUnit]:
    """The units of a row that the coder does not doubt, each once."""
    units = {unit.au: unit for unit in reversed(row.aus) if not unit.uncertain and unit.alternative is None}
    return list(reversed(units.values()))


def _lines(spec: Spec, row: Annotation, coarse: str, known: Sequence[int], seed: int) -> Iterator[QuestionLine]:
    words, units = _words(), _certain(row)
    texts = words["questions"]
    random = Random(f"{seed}:{row.dataset}:{row.id}")
    suffix = "one unit" if len(units) == 1 else "units"
    listed = ", ".join(_name(unit.au) for unit in units)
    pairs = [(texts["coarse"], coarse), (texts["fine"], str(row.emotion)), (texts[suffix], listed)]
    one_sided = [unit for unit in units if unit.side in ("left", "right")]
    if one_sided:
        unit = random.choice(one_sided)
        pairs.append((texts["side"].format(unit=_name(unit.au)), unit.side))
    pairs.append((texts["shown"].format(unit=_name(random.choice(units).au)), "yes"))
    others = [au for au in known if au not in {unit.au for unit in units}]
    if others:
        pairs.append((texts["shown"].format(unit=_name(random.choice(others))), "no"))
    together = "all of one unit" if len(units) == 1 else "all"
    answer = words["answers"][together].format(units=listed, fine=row.emotion, coarse=coarse)
    pairs.append((texts[together], answer))
    dataset, image, subject, filename = _names(spec, row)
    for number, (question, reply) in enumerate(pairs, start=1):
        yield QuestionLine(f"{dataset}_{image}_{number}", dataset, image, subject, filename, question, reply)


def _names(spec: Spec, row: Annotation) -> tuple[str, str, str, str]:
    """The names of the dataset, the image, the subject and the file, as the schema says or as in the manifest."""
    filename = row.expression or row.id
    names = spec.questions
    if names is None:
        return spec.id, row.id, row.subject, filename
    known = naming.derive(spec.names, {**row.extra, "subject_name": row.subject, "video_name": row.video})
    return names.dataset, Template(names.image).render(known), Template(names.subject).render(known), filename


@cache
def _words() -> dict[str, Any]:
    """The questions, answers and names of action units."""
    path = resources.package_file("export/questions.yaml")
    document = yaml_files.load(path.read_text(encoding="utf-8"), path.name, "list of questions")
    content: dict[str, Any] = document.value
    return content


def _name(au: int) -> str:
    units = {int(number): name for number, name in _words()["units"].items()}
    return str(units.get(au, f"action unit {au}"))
