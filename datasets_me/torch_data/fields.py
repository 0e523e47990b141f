"""The fields of a dataset's items, and stacking and ordering the items."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from datasets_me.core.errors import MeDatasetsError
from datasets_me.formats.items import ItemRow

Item = dict[str, Any]


@dataclass(frozen=True)
class Field:
    """The shape and the dtype of one tensor of an item; None is a length that differs between items."""

    shape: tuple[int | None, ...]
    dtype: torch.dtype

    def fits(self, tensor: torch.Tensor) -> bool:
        """Whether a tensor has this shape and dtype."""
        sizes = zip(self.shape, tensor.shape, strict=False)
        return (
            tensor.dtype == self.dtype
            and len(self.shape) == tensor.dim()
            and all(wanted in (None, size) for wanted, size in sizes)
        )


def stack(fields: Mapping[str, Field], items: Iterable[Item], count: int) -> dict[str, torch.Tensor]:
    """All items as tensors (count, *shape) of the fields' dtypes.

    Raises:
        MeDatasetsError: the items of a field differ in length.
    """
    tensors: dict[str, list[torch.Tensor]] = {name: [] for name in fields}
    for item in items:
        for name in fields:
            tensors[name].append(item[name])
    stacked = {}
    for name, field in fields.items():
        if len({tensor.shape for tensor in tensors[name]}) > 1:
            raise MeDatasetsError(
                f"the items differ in length, so '{name}' cannot be one tensor",
                fix="export clips with --frames key or a number, or use a DataLoader with a collate_fn",
            )
        empty = torch.empty((0, *(size or 0 for size in field.shape)), dtype=field.dtype)
        stacked[name] = torch.stack(tensors[name]) if count else empty
    return stacked


def in_order(rows: Sequence[ItemRow], seed: int | None) -> list[ItemRow]:
    """Items by subject, video and frame; with a seed, in an order that depends only on the seed and their names."""
    ordered = sorted(rows, key=lambda row: (row.subject, row.name, row.start))
    if seed is None:
        return ordered
    return sorted(
        ordered, key=lambda row: hashlib.sha256(f"{seed}:{row.subject}/{row.name}/{row.start}".encode()).digest()
    )
