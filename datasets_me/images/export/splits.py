"""Splits that keep subjects, and images that are near-duplicates, together."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Sequence

import numpy as np

from datasets_me.core.errors import ImagesError
from datasets_me.core.near import components
from datasets_me.schema.images import SPLITS, Split


def shares(text: str) -> tuple[float, ...]:
    """``"0.8,0.1,0.1"`` as shares of train, validation and test; two numbers are train and test.

    Raises:
        ImagesError: they are no shares, or their sum is not 1.
    """
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if len(values) == 2:
        values = (values[0], 0.0, values[1])
    if len(values) != 3 or not all(0 <= value <= 1 for value in values) or abs(sum(values) - 1) > 1e-9:
        raise ImagesError(
            f"'{text}' is no way to split", fix="give own, or shares of train, validation and test: 0.8,0.1,0.1"
        )
    return values


def units(keys: Sequence[Sequence[Hashable]]) -> list[int]:
    """The unit of each item: items that share a key, directly or over others, are of one unit.

    Args:
        keys: for each item its subject, its cluster, and so on.
    """
    first: dict[Hashable, int] = {}
    pairs = [(first.setdefault(key, item), item) for item, shared in enumerate(keys) for key in shared]
    return [int(unit) for unit in components(len(keys), np.array(pairs, np.int64).reshape(-1, 2))]


def assign(
    labels: Sequence[str], ids: Sequence[str], unit_of: Sequence[int], wanted: Sequence[float], seed: int
) -> list[Split]:
    """A part for every image: whole units, with the classes' shares as near to the wanted ones as a greedy choice gets.

    Units are placed one by one, the largest first and equals in an order that the seed decides, each where the sum
    over classes of (count - wanted count)² / images of the class grows least. The order of the images does not matter.
    """
    names = sorted(set(labels))
    at = {name: j for j, name in enumerate(names)}
    members: dict[int, list[int]] = {}
    for item, unit in enumerate(unit_of):
        members.setdefault(unit, []).append(item)
    totals = np.bincount([at[label] for label in labels], minlength=len(names)).astype(float)
    target = np.outer(wanted, totals)
    placed = np.zeros_like(target)
    closed = np.array([share == 0 for share in wanted])

    def order(unit: int) -> tuple[int, str]:
        name = min(ids[item] for item in members[unit])
        return -len(members[unit]), hashlib.sha256(f"{seed} {name}".encode()).hexdigest()

    out: list[Split] = ["train"] * len(labels)
    for unit in sorted(members, key=order):
        counts = np.bincount([at[labels[item]] for item in members[unit]], minlength=len(names))
        growth = ((2 * (placed - target) + counts) * counts / totals).sum(axis=1)
        part = int(np.where(closed, np.inf, growth).argmin())
        placed[part] += counts
        for item in members[unit]:
            out[item] = SPLITS[part]
    return out
