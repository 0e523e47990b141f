"""Verbs about schemas: ``datasets``, ``schema check``, ``schema copy``, ``schema json``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from datasets_me.cli import completion, options, show
from datasets_me.cli.run import Answer, group, verb
from datasets_me.core.errors import plural

if TYPE_CHECKING:
    from datasets_me.schema.spec import Spec

schema = group("Begin or check a dataset schema of your own, or print the JSON Schema of schemas.")


@verb("me-datasets datasets casme2")
def datasets(
    dataset: str = typer.Argument(
        None,
        help="Show one: its id, an alias, or the path of a schema (.yaml).",
        autocompletion=completion.datasets,
    ),
) -> Answer:
    """List the datasets that are known, or show one."""
    from datasets_me.schema import schema_files

    if dataset:
        spec = schema_files.load(dataset).spec
        return Answer(_one(spec), data=spec.model_dump(mode="json"))
    specs = [shipped.spec for shipped in schema_files.shipped()]
    table = show.Rows(None, "id", "title", "fps", "rows", "micro", "macro", "subjects", "aliases")
    for spec in specs:
        counts = (spec.expected.annotations, spec.expected.micro, spec.expected.macro, spec.expected.subjects)
        shown = ["-" if count is None else str(count) for count in counts]
        table.add_row(spec.id, spec.title, f"{spec.fps:g}", *shown, ", ".join(spec.aliases))
    return Answer([table], data=[_brief(spec) for spec in specs])


def _brief(spec: Spec) -> dict[str, Any]:
    return {
        "id": spec.id,
        "title": spec.title,
        "aliases": spec.aliases,
        "fps": spec.fps,
        "expected": spec.expected.model_dump(exclude_none=True),
    }


def _one(spec: Spec) -> list[show.Part]:
    expected = spec.expected.model_dump(exclude_none=True, exclude_defaults=True)
    about = show.named(
        ("id", f"{spec.id}, schema version {spec.version}"),
        ("title", spec.title),
        ("aliases", ", ".join(spec.aliases)),
        ("frames per second", f"{spec.fps:g}"),
        ("citation", spec.citation),
        ("licence", f"{spec.licence.terms} {spec.licence.page}"),
        ("workbooks", ", ".join(spec.workbook.files)),
        ("variants", ", ".join(variant.id for variant in spec.workbook.variants)),
        ("first frame", f"number {spec.workbook.frames.base} in the workbook, 0 in the manifest"),
        ("not annotated", "; ".join(f"{k}: {' '.join(v)}" for k, v in spec.workbook.sentinels.items()) or "-"),
        ("names", f"{spec.names.subject}, {spec.names.video}"),
        ("emotions", ", ".join(spec.emotions.labels) or "-"),
        ("expected", ", ".join(f"{name} {value}" for name, value in expected.items()) or "-"),
    )
    layouts = show.Rows("\nLayouts", "layout", "holds", "folder", "frame")
    for layout in spec.layouts:
        layouts.add_row(
            layout.id, layout.holds, f"{'/'.join(layout.under[:1])}/{layout.folder}".lstrip("/"), layout.frame
        )
    defects = show.Rows("\nKnown defects", "what", "why")
    for moved in spec.relocations:
        defects.add_row(f"{moved.found} belongs at {moved.belongs}", moved.why)
    for changed in spec.corrections:
        defects.add_row(f"{changed.video} {changed.column}: {changed.old} is {changed.new}", changed.why)
    for left_out in spec.exclude:
        name = " ".join(filter(None, (left_out.video, left_out.expression)))
        defects.add_row(f"{name} is left out", left_out.why)
    for absent in spec.absent:
        defects.add_row(f"{absent.video} is not in {absent.layout}", absent.why)
    for crop in spec.crop.overrides:
        defects.add_row(f"{crop.video} needs room around the face: {crop.pad}", crop.why)
    return [about, layouts, *([defects] if defects.rows else [])]


@verb("me-datasets schema check my-lab.yaml")
def check(path: Path = typer.Argument(help="The schema (.yaml).")) -> Answer:
    """Say what is wrong with a schema, by line and YAML path."""
    from datasets_me.schema import image_schemas, schema_files
    from datasets_me.schema.yaml_files import read_text

    if image_schemas.is_image_schema(read_text(path), str(path)):
        images = image_schemas.load_file(path).spec
        return Answer(
            [f"{path}: {images.id} is a valid schema of a set of images: {plural(len(images.labels), 'label')}"],
            data={"schema": str(path), "id": images.id, "labels": list(images.labels)},
        )
    spec = schema_files.load_file(path).spec
    variants, layouts = len(spec.workbook.variants), len(spec.layouts)
    return Answer(
        [f"{path}: {spec.id} is a valid schema: {plural(variants, 'workbook variant')}, {plural(layouts, 'layout')}"],
        data={"schema": str(path), "id": spec.id, "variants": variants, "layouts": layouts},
    )


@verb("me-datasets schema copy casme3-a my-lab.yaml")
def copy(
    dataset: str = typer.Argument(
        help="A dataset or a set of images: its id, an alias, or the path of a schema (.yaml).",
        autocompletion=completion.all_schemas,
    ),
    out: Path = typer.Argument(help="The schema to write (.yaml)."),
    force: bool = options.FORCE,
) -> Answer:
    """Write a copy of a schema with a comment on each key, to begin one of your own."""
    from datasets_me.schema.copies import load_any, write_copy

    write_copy(load_any(dataset), out, force=force)
    return Answer(
        [f"written to {out}; me-datasets schema check {out} says whether it is valid"], data={"schema": str(out)}
    )


@verb("me-datasets schema json > schema.json", formats=None)
def print_json() -> Answer:
    """Print the JSON Schema of dataset schemas, so that editors complete and check them."""
    from datasets_me.schema.spec import Spec

    specification = Spec.model_json_schema()
    return Answer(data=specification, documents={"table": lambda _: show.to_json(specification)})
