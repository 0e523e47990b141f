"""Parquet files that are written and read some rows at a time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from datasets_me.errors import ImagesError
from datasets_me.parquet import arrow_table, open_parquet
from datasets_me.records import Record, arrow_schema

Row = TypeVar("Row", bound=Record)
Item = TypeVar("Item")

GROUP = 1024
"""Rows that are held at a time, and that stand together in a file."""

_KEY = b"me-datasets"


def in_groups(items: Iterable[Item], size: int = GROUP) -> Iterator[list[Item]]:
    """The items, some at a time."""
    iterator = iter(items)
    while group := list(islice(iterator, size)):
        yield group


def stream(path: Path, model: type[Record], rows: Iterable[Record], about: dict[str, Any] | None = None) -> int:
    """Write rows of one kind as they come; returns how many. ``about`` is kept in the file.

    Raises:
        OSError: the file cannot be written.
    """
    import pyarrow.parquet as pq

    schema = arrow_schema(model)
    if about is not None:
        schema = schema.with_metadata({_KEY: json.dumps(about, ensure_ascii=False)})
    count = 0
    with path.open("wb") as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for group in in_groups(rows):
            writer.write_table(arrow_table(model, group).replace_schema_metadata(schema.metadata))
            count += len(group)
    return count


def batches(
    path: Path, model: type[Row], size: int = GROUP, columns: Sequence[str] | None = None
) -> Iterator[list[Row]]:
    """The rows of a file, some at a time; columns that are left out have the model's default.

    Raises:
        ImagesError: the file is damaged, or its rows are not of this kind.
    """
    import pyarrow as pa

    try:
        with open_parquet(path) as file:
            maps = [column.name for column in file.schema_arrow if pa.types.is_map(column.type)]
            wanted = None if columns is None else list(columns)
            for batch in file.iter_batches(batch_size=size, columns=wanted, use_threads=False):
                rows = batch.to_pylist()
                for row in rows:
                    for column in maps:
                        if column in row:
                            row[column] = dict(row[column])
                yield [model.model_validate(row) for row in rows]
    except (OSError, ValueError, TypeError) as error:
        raise ImagesError(f"the table is damaged: {error}", where=str(path)) from error


def about(path: Path) -> dict[str, Any]:
    """What `stream` was told to keep in the file.

    Raises:
        ImagesError: the file is damaged.
    """
    try:
        with open_parquet(path) as file:
            kept = json.loads((file.schema_arrow.metadata or {})[_KEY])
    except (OSError, ValueError, KeyError) as error:
        raise ImagesError(f"the table is damaged, or not ours: {error}", where=str(path)) from error
    return dict(kept)
