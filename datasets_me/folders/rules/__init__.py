"""The rules of ``me-datasets check``: small functions, each with the codes it may report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from datasets_me.findings.codes import matches
from datasets_me.findings.finding import Finding
from datasets_me.folders.context import Context
from datasets_me.folders.rules import expressions, folders, frames, places, video_files

Rule = Callable[[Context], Iterator[Finding]]

RULES: dict[Rule, tuple[str, ...]] = {
    places.relocated: ("ME201",),
    places.mislocated: ("ME202",),
    places.unknown: ("ME203",),
    places.twice: ("ME206",),
    places.name_differs: ("ME208",),
    places.moved: ("ME212",),
    folders.missing: ("ME204", "ME207"),
    folders.absent: ("ME207",),
    folders.unannotated: ("ME205",),
    folders.count_differs: ("ME209",),
    folders.unreadable: ("ME210",),
    folders.strays: ("ME211",),
    frames.empty_folder: ("ME309",),
    frames.gaps: ("ME301",),
    frames.twice: ("ME302",),
    frames.text_order: ("ME303",),
    frames.names_differ: ("ME304",),
    frames.start_differs: ("ME310",),
    frames.of_another: ("ME311",),
    frames.far: ("ME312",),
    video_files.doubtful: ("ME313", "ME314", "ME315", "ME316", "ME317", "ME318", "ME320"),
    expressions.outside: ("ME401", "ME402", "ME404"),
    expressions.length_differs: ("ME403",),
    expressions.gaps_inside: ("ME405",),
}


def apply_rules(context: Context, is_selected: Callable[[str], bool]) -> Iterator[Finding]:
    """The findings of all rules that can report a selected code."""
    for rule, codes in RULES.items():
        if any(map(is_selected, codes)):
            yield from (finding for finding in rule(context) if is_selected(finding.code))


def selector(select: Sequence[str], ignore: Iterable[str]) -> Callable[[str], bool]:
    """Whether a code is selected and not ignored; an empty selection is all codes."""
    selected, ignored = list(select) or ["ALL"], list(ignore)
    return lambda code: matches(code, selected) and not matches(code, ignored)
