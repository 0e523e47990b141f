"""Rows of one kind as a Parquet file, and back.

Reading uses no thread of pyarrow's: one that reads ahead from a Python file may still hold a part of it when the
interpreter ends, which then hangs or aborts now and then (github.com/apache/arrow/issues/50482).
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from datasets_me.files import write_file
from datasets_me.records import Record, arrow_schema

Row = TypeVar("Row", bound=Record)


@contextmanager
def open_parquet(path: Path) -> Iterator[Any]:
    """A ``pyarrow.parquet.ParquetFile`` that reads nothing ahead; read from it with ``use_threads=False``.

    Raises:
        OSError, ValueError: the file cannot be read, or is not Parquet.
    """
    import pyarrow.parquet as pq

    with path.open("rb") as file:
        yield pq.ParquetFile(file, pre_buffer=False)


def write_parquet(model: type[Record], rows: Sequence[Record], path: Path) -> None:
    """Write rows of one kind to a Parquet file of their Arrow schema.

    Raises:
        MeDatasetsError: the file cannot be written.
    """
    import pyarrow.parquet as pq

    content = io.BytesIO()
    pq.write_table(arrow_table(model, rows), content, compression="zstd")
    write_file(path, content.getvalue())


def read_parquet(model: type[Row], path: Path) -> list[Row]:
    """The rows of a Parquet file that `write_parquet` wrote.

    Raises:
        OSError, ValueError: the file cannot be read, or its rows are not of this kind.
    """
    with open_parquet(path) as file:
        table = file.read(use_threads=False)
    maps = [column.name for column in table.schema if str(column.type).startswith("map")]
    rows = table.to_pylist()
    for row in rows:
        for column in maps:
            row[column] = dict(row[column])
    return [model.model_validate(row) for row in rows]


def arrow_table(model: type[Record], rows: Sequence[Record]) -> Any:
    """Rows of one kind as a table of their Arrow schema."""
    import pyarrow as pa

    schema = arrow_schema(model)
    columns: list[Any] = []
    for column in schema:
        values = [getattr(row, column.name) for row in rows]
        if pa.types.is_map(column.type):
            values = [list(value.items()) for value in values]
        elif pa.types.is_list(column.type):
            values = [[_plain(element) for element in value] for value in values]
        columns.append(pa.array(values, type=column.type))
    return pa.table(columns, schema=schema)


def _plain(element: Any) -> Any:
    return element.model_dump() if isinstance(element, Record) else element
