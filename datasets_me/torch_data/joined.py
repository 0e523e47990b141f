"""The arrays of another tool in an export, see `export.beside`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from datasets_me.export.beside import width
from datasets_me.torch_data.fields import Field


@dataclass(frozen=True)
class Joined:
    """The arrays that were exported ``--with`` the items.

    Attributes:
        names: of the arrays in an item.
        units: the action units of the columns, by the array's name, where it is of some.
        fields: their shapes and dtypes.
    """

    names: tuple[str, ...]
    units: dict[str, tuple[int, ...]]
    fields: dict[str, Field]


def joined(exported: Mapping[str, Sequence[int]], rows: int | None, prefix: str = "") -> Joined:
    """The arrays that an export says it has.

    Args:
        exported: the action units by the name of the array, none for one that is of something else.
        rows: of each array in an item; None where items differ.
        prefix: what stands before each name in an item.
    """
    fields = {f"{prefix}{name}": Field((rows, width(name, units)), torch.float32) for name, units in exported.items()}
    units = {f"{prefix}{name}": tuple(units) for name, units in exported.items() if units}
    return Joined(tuple(fields), units, fields)
