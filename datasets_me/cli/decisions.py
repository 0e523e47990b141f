"""Verbs about what a person decided: ``decide`` and the group ``decisions``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from datasets_me.cli import completion, images, options, show
from datasets_me.cli.run import Answer, group, verb
from datasets_me.core.errors import DecisionsError, MeDatasetsError, plural
from datasets_me.core.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datasets_me.convert.bulk import Verdict
    from datasets_me.formats.decisions import Decision, Decisions
    from datasets_me.schema.schema_files import Schema
    from datasets_me.scores.agreement import Agreement

decisions = group("Look at what was decided about a dataset, compare two people, or make a schema of it.")

_FOLDER = typer.Argument(
    help="A folder of decisions, as 'me-datasets decide' and 'view' write; or a set of images, or a table of decisions "
    "about one (.parquet)."
)


@verb("me-datasets decide casme-sq-manifest --code ME107 --exclude --note 'offset before apex' --apply")
def decide(
    manifest: Path = typer.Argument(help="A manifest, or a set of images."),
    codes: list[str] = typer.Option(
        [],
        "--code",
        help="What has these findings: ME107, or ME107,ME109.",
        autocompletion=completion.selected_codes,
    ),
    exclude: bool = typer.Option(False, "--exclude", help="Leave the row out, or the video where there is no row."),
    accept: bool = typer.Option(False, "--accept", help="Leave it as it is, and do not count it as an error any more."),
    note: str = typer.Option(None, "--note", help="Kept with every decision, and given as the reason."),
    folder: Path = typer.Option(
        None, "--decisions", help="The folder of decisions. By default, 'decisions' beside the manifest."
    ),
    apply: bool = typer.Option(False, "--apply", help="Save; without it, only the numbers are shown."),
    undo: bool = typer.Option(False, "--undo", help="Take back what the last 'decide --apply' saved."),
) -> Answer:
    """Decide about everything with a finding at once; a dry run unless --apply is given.

    What was decided before stays. The manifest is not changed: prepare, convert, export and split apply decisions. In a
    set of images, it decides as 'me-datasets images decide' does, which has more to choose from.
    """
    from datasets_me.convert import bulk as in_bulk
    from datasets_me.findings.choice import read_codes, without_findings
    from datasets_me.formats import decisions as decision_files
    from datasets_me.formats import manifest as manifests
    from datasets_me.formats.kinds import DECISIONS, IMAGE_SET

    place = folder or decision_files.beside(manifest)
    is_image_set = (manifest / IMAGE_SET.about).is_file()
    if undo:
        if codes or exclude or accept or note or apply:
            raise MeDatasetsError("--undo takes back what was saved, and nothing else", fix="give it alone")
        return images.taken_back(manifest, folder) if is_image_set else _taken_back(manifest, place)
    if exclude == accept or not codes:
        raise MeDatasetsError(
            "say which findings, and what is decided about them", fix="give --code, and one of --exclude and --accept"
        )
    if is_image_set:
        if note is not None:
            raise MeDatasetsError("decisions about images have no notes", fix="leave out --note")
        verdict: Verdict = "exclude" if exclude else "accept"
        return images.decided_in_bulk(manifest, codes, verdict, decisions=folder, apply=apply)
    annotated = manifests.read(manifest)
    decision_files.check_place(place)
    before = decision_files.read(place) if (place / DECISIONS.about).is_file() else decision_files.Decisions(())
    selected = read_codes(codes)
    planned = in_bulk.bulk(annotated, selected, "exclude" if exclude else "accept", before.rows, note)
    if apply and planned.decisions:
        decision_files.append(place, planned.decisions)
    rows = sum(decision.row is not None for decision in planned.decisions)
    others = len(planned.decisions) - rows
    what = plural(len(planned.decisions), "finding")
    if exclude:
        what = f"{plural(rows, 'row')} and {plural(others, 'whole video')}" if others else plural(rows, "row")
    lines = [f"{'' if apply else 'would be '}{'excluded' if exclude else 'accepted'}: {what}"]
    lines += [f"  unchanged: {plural(count, 'finding')}, {why}" for why, count in sorted(planned.unchanged.items())]
    absent = without_findings(selected, annotated.findings)
    if absent:
        lines.append(
            f"  the manifest has no finding {', '.join(absent)}; those that only me-datasets check makes are not in it"
        )
    if apply and planned.decisions:
        lines.append(f"saved in {place}; --undo takes it back")
    else:
        lines.append("nothing is saved" + ("; add --apply to do it" if planned.decisions else ""))
    return Answer(
        lines,
        before.findings,
        data={
            "applied": apply,
            "decisions": [decision.model_dump(mode="json", exclude_none=True) for decision in planned.decisions],
            "unchanged": dict(planned.unchanged),
            "absent": absent,
        },
    )


def _taken_back(manifest: Path, place: Path) -> Answer:
    """Take back what was saved last about the dataset of a manifest."""
    from datasets_me.convert import bulk as in_bulk
    from datasets_me.formats import decisions as decision_files
    from datasets_me.formats import manifest as manifests

    dataset = manifests.read(manifest).spec.id
    before = decision_files.read(place)
    undoing, replaced = in_bulk.undo([each for each in before.rows if each.dataset == dataset])
    decision_files.append(place, undoing)
    lines = [f"taken back: {plural(len(undoing), 'decision')}"]
    lines += [f"  unchanged: {plural(replaced, 'decision')}, replaced by later ones"] if replaced else []
    return Answer(lines, before.findings, data={"undone": len(undoing), "replaced": replaced})


@verb("me-datasets decisions list decisions --manifest casme-sq-manifest")
def list_(
    folder: Path = _FOLDER,
    manifest: Path = typer.Option(None, "--manifest", help="Say which decisions do not fit this manifest."),
    every: bool = typer.Option(False, "--every", help="Those that were taken back or replaced, too."),
) -> Answer:
    """List the decisions that count.

    Exit code 0: all of them can be applied, or what they accept is not found any more. 1: the ground of some has
    changed. 2: could not run.
    """
    from datasets_me.convert.decided import ABOUT_DECISIONS
    from datasets_me.convert.decided import decide as apply
    from datasets_me.formats import decisions as decision_files
    from datasets_me.formats import manifest as manifests

    read = _read(folder)
    standing = decision_files.standing(read.rows)
    ids = {decision.id for decision in standing}
    findings = list(read.findings)
    if manifest:
        decided = apply(manifests.read(manifest), read)
        findings = [each for each in decided.findings if each.code in ABOUT_DECISIONS]
    shown = read.rows if every else standing
    table = show.Rows(None, "id", "action", "about", "code", "column", "from", "to", "note")
    for each in shown:
        action = each.action if each.id in ids or each.action == "undo" else f"{each.action} (not in force)"
        before, after = each.old or each.found, each.new or each.belongs or each.undoes
        table.add_row(each.id, action, each.about or each.message, each.code, each.column, before, after, each.note)
    return Answer(
        [table, "", f"{plural(len(standing), 'decision')} in force, of {len(read.rows):,} that were made"],
        findings,
        data={
            "decisions": [
                {**each.model_dump(mode="json", exclude_none=True), "in_force": each.id in ids} for each in shown
            ]
        },
        each=True,
    )


@verb("me-datasets decisions to-corrections decisions -o my-casme-sq.yaml", to_file=True)
def to_corrections(folder: Path = _FOLDER, dataset: str = options.OF_DATASET) -> Answer:
    """Print the schema with what was decided: corrections, relocations and exclusions, for colleagues or the authors.

    Notes and accepted findings are not in it.
    """
    from datasets_me.convert.decided import with_decisions
    from datasets_me.formats import decisions as decision_files

    read = decision_files.read(folder)
    standing = decision_files.standing(read.rows)
    schema = _schema(standing, dataset, folder)
    decided = with_decisions(schema, [each for each in standing if each.dataset == schema.spec.id])
    for finding in read.findings:
        show.echo(f"{finding.code} {finding.where}: {finding.message}", err=True)
    parts = {name: len(getattr(decided.spec, name)) for name in ("corrections", "relocations", "exclude")}
    return Answer(
        data={"dataset": schema.spec.id, **parts, "schema": decided.text},
        documents={"table": lambda _: decided.text.rstrip("\n")},
    )


@verb("me-datasets decisions diff decisions-anna decisions-ben")
def diff(a: Path = _FOLDER, b: Path = _FOLDER, dataset: str = options.OF_DATASET) -> Answer:
    """Compare what two people decided: kappa for labels, differences in frames, and the rows where they differ.

    Only rows, videos and images about which both decided are compared. It needs scikit-learn.
    Exit code 0: they agree. 1: they differ. 2: could not run, or there is nothing about which both decided.
    """
    from datasets_me.schema import schema_files
    from datasets_me.scores.agreement import agreement

    first, second = _read(a), _read(b)
    names = sorted({each.dataset for each in (*first.rows, *second.rows) if each.image is None})
    own = schema_files.load(dataset).spec if dataset else None
    specs = {name: own if own and own.id == name else _shipped(name, a).spec for name in names}
    compared = agreement(first.rows, second.rows, specs)
    if not compared.both:
        raise DecisionsError(
            "nothing can be compared: there is no row, video or image about which both decided "
            f"(A decided about {compared.only_a:,}, B about {compared.only_b:,})",
            where=f"A: {a}; B: {b}",
            fix="check the paths, or let both decide about the same ones",
        )
    return Answer(
        [f"A: {a}", f"B: {b}", "", *_compared(compared)],
        [*first.findings, *second.findings],
        data={"a": str(a), "b": str(b), **asdict(compared)},
        exit_code=int(bool(compared.differing)),
    )


def _read(path: Path) -> Decisions:
    """The decisions of a folder, of a set of images, or of a table of decisions about one.

    Raises:
        MeDatasetsError: there are none, or they are damaged.
    """
    from datasets_me.formats import decisions as decision_files
    from datasets_me.images.decisions import read_in_general

    about_images = read_in_general(path)
    return decision_files.read(path) if about_images is None else decision_files.Decisions(tuple(about_images))


def _compared(compared: Agreement) -> list[show.Part]:
    parts: list[show.Part] = [
        f"decided about by both: {compared.both:,}; only by A: {compared.only_a:,}; only by B: {compared.only_b:,}"
    ]
    if compared.labels:
        labels = show.Rows("\nLabels", "column", "rows", "equal", "kappa", right=["rows", "equal", "kappa"])
        for label in compared.labels:
            kappa = "-" if label.kappa is None else f"{label.kappa:.3f}"
            labels.add_row(label.column, label.rows, label.equal, kappa)
        parts.append(labels)
    if compared.frames:
        numbers = ["rows", "equal", "only one", "mean B - A", "mean |B - A|"]
        frames = show.Rows("\nFrames", "column", *numbers, right=numbers)
        for each in compared.frames:
            means = ["-" if value is None else f"{value:.2f}" for value in (each.mean, each.absolute)]
            frames.add_row(each.column, each.rows, each.equal, each.one_only, *means)
        parts.append(frames)
    if compared.differing:
        rows = show.Rows("\nWhere they differ", "about", "column", "A", "B", "where")
        for row in compared.differing:
            rows.add_row(row.about, row.column, row.a or "-", row.b or "-", row.where)
        parts.append(rows)
    return parts


def _schema(decided: Sequence[Decision], dataset: str | None, folder: Path) -> Schema:
    """The schema that decisions are about: that of their dataset, or the one given.

    Raises:
        MeDatasetsError: there is no such schema, or they are about several datasets and none is given.
    """
    names = sorted({each.dataset for each in decided if each.image is None})
    if dataset is None and len(names) != 1:
        what = f"about several datasets: {', '.join(names)}" if names else "empty"
        raise DecisionsError(f"the folder of decisions is {what}", where=str(folder), fix="give --dataset")
    if dataset is None:
        return _shipped(names[0], folder)
    from datasets_me.schema import schema_files

    return schema_files.load(dataset)


def _shipped(name: str, folder: Path) -> Schema:
    """The schema of a dataset that decisions are about; the name comes from the folder and is never taken for a path.

    Raises:
        DecisionsError: the program has none of that id.
    """
    from datasets_me.schema import schema_files

    schema = next((each for each in schema_files.shipped() if each.spec.id == name), None)
    if schema is None:
        raise DecisionsError(
            f"there are decisions about '{printable(name)}', a dataset that the program does not know",
            where=str(folder),
            fix="give its schema with --dataset",
        )
    return schema
