"""One decision about everything that has a finding: counted first, then saved, and taken back if need be."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from datasets_me.core.errors import DecisionsError
from datasets_me.findings.codes import matches
from datasets_me.formats.decisions import Decision, about_finding, standing
from datasets_me.formats.manifest import Manifest

Verdict = Literal["accept", "exclude"]


@dataclass(frozen=True)
class Bulk:
    """Decisions that would be saved, and how many findings nothing is decided about, by reason."""

    decisions: list[Decision]
    unchanged: Counter[str]


def bulk(
    manifest: Manifest, codes: Sequence[str], verdict: Verdict, decided: Sequence[Decision], note: str | None = None
) -> Bulk:
    """A decision about each finding of a manifest with one of some codes; nothing is saved.

    To exclude is decided once about a row, however many of the findings it has.

    Args:
        manifest: of the dataset.
        codes: codes of findings, or beginnings of codes.
        verdict: what is decided.
        decided: all decisions so far; what is decided already stays.
        note: kept with every decision.
    """
    batch = secrets.token_hex(8)
    seen = set(_things(standing(decided)))
    decisions: list[Decision] = []
    unchanged: Counter[str] = Counter()
    for doubt in (each for each in manifest.findings if matches(each.code, list(codes))):
        about = about_finding(manifest, doubt)
        if verdict == "exclude" and about.get("video") is None:
            unchanged["names no row and no video"] += 1
            continue
        if verdict == "exclude" and doubt.row is not None and "cells" not in about:
            unchanged["names a row that is not in the manifest"] += 1
            continue
        decision = Decision(action=verdict, note=note, batch=batch, **about)
        if seen.isdisjoint(_things([decision])):
            decisions.append(decision)
        else:
            unchanged["decided already"] += 1
        seen.update(_things([decision]))
    return Bulk(decisions, unchanged)


def _things(decisions: Sequence[Decision]) -> Iterator[tuple[object, ...]]:
    """What is decided about: excluded rows and videos, and findings with their places."""
    for decision in decisions:
        if decision.action == "exclude":
            yield ("exclude", decision.told_by)
        if decision.code is not None and decision.action in ("accept", "correct", "exclude"):
            yield ("finding", decision.told_by, decision.path, *decision.finding)


def undo(decided: Sequence[Decision]) -> tuple[list[Decision], int]:
    """Decisions that take the last batch back, and how many of it stay, because they were decided anew since.

    Raises:
        DecisionsError: there is no batch that stands.
    """
    standing_now = standing(decided)
    batches = [each.batch for each in standing_now if each.batch is not None]
    if not batches:
        fix = "this takes back only what was decided at once; me-datasets view takes back single decisions"
        raise DecisionsError("there is nothing to take back", fix=fix)
    chosen = [each for each in standing_now if each.batch == batches[-1]]
    undone = {each.undoes for each in decided}
    superseded = sum(each.batch == batches[-1] and each.id not in undone for each in decided) - len(chosen)
    return [Decision(action="undo", dataset=each.dataset, undoes=each.id) for each in chosen], superseded
