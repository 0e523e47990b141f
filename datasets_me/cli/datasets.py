"""``me-datasets datasets``: the datasets whose schemas are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from datasets_me.cli import arguments, show

if TYPE_CHECKING:
    from datasets_me.schema.spec import Spec


def datasets(
    dataset: str = typer.Argument(None, help="Show one: its id, an alias, or the path of a schema (.yaml)."),
    as_json: bool = arguments.JSON,
) -> None:
    """List the datasets that are known, or show one."""
    from datasets_me.schema import schema_files

    if dataset:
        schema = schema_files.load(dataset)
        if as_json:
            show.echo_json(schema.spec.model_dump(mode="json"))
        else:
            _show_one(schema.spec)
        return
    specs = [schema.spec for schema in schema_files.shipped()]
    if as_json:
        show.echo_json([_brief(spec) for spec in specs])
        return
    table = show.table(None, "id", "title", "fps", "rows", "micro", "macro", "subjects", "aliases")
    for spec in specs:
        counts = (spec.expected.annotations, spec.expected.micro, spec.expected.macro, spec.expected.subjects)
        shown = ["-" if count is None else str(count) for count in counts]
        table.add_row(spec.id, spec.title, f"{spec.fps:g}", *shown, ", ".join(spec.aliases))
    show.console().print(table)


def _brief(spec: Spec) -> dict[str, Any]:
    return {
        "id": spec.id,
        "title": spec.title,
        "aliases": spec.aliases,
        "fps": spec.fps,
        "expected": spec.expected.model_dump(exclude_none=True),
    }


def _show_one(spec: Spec) -> None:
    out = show.console()
    expected = spec.expected.model_dump(exclude_none=True, exclude_defaults=True)
    show.lines(
        out,
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
    table = show.table("\nLayouts", "layout", "holds", "folder", "frame")
    for layout in spec.layouts:
        table.add_row(
            layout.id, layout.holds, f"{'/'.join(layout.under[:1])}/{layout.folder}".lstrip("/"), layout.frame
        )
    out.print(table)
    known = [
        *((f"{item.found} belongs at {item.belongs}", item.why) for item in spec.relocations),
        *((f"{item.video} {item.column}: {item.old} is {item.new}", item.why) for item in spec.corrections),
        *((f"{item.video} is not in {item.layout}", item.why) for item in spec.absent),
        *((f"{item.video} needs room around the face: {item.pad}", item.why) for item in spec.crop.overrides),
    ]
    if known:
        table = show.table("\nKnown defects", "what", "why")
        for what, why in known:
            table.add_row(what, why)
        out.print(table)
