"""Rows of one kind as a Parquet file, and back: at once, or some at a time.

Reading does without the threads of pyarrow: one that reads ahead from a Python file may still hold a part of it when
the interpreter ends, which then sometimes hangs or aborts (github.com/apache/arrow/issues/50482).
"""

from __future__ import annotations

import hashlib
import io
import json
import types
import typing
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from datasets_me.core.artefact import write_file
from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.files import check_regular

if TYPE_CHECKING:
    import pyarrow as pa


_NO_NAMES: set[str] = set()


class Record(BaseModel):
    """Base of all rows: immutable, no unknown fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def model_post_init(self, context: Any, /) -> None:
        """Forget which fields were given: the set of their names takes more memory than the row."""
        object.__setattr__(self, "__pydantic_fields_set__", _NO_NAMES)


Row = TypeVar("Row", bound=Record)
Item = TypeVar("Item")

GROUP = 1024
"""Rows that are in memory at a time, and that form one group of a file."""

_KEY = b"me-datasets"


@contextmanager
def open_parquet(path: Path) -> Iterator[Any]:
    """A ``pyarrow.parquet.ParquetFile`` that reads nothing ahead; read from it with ``use_threads=False``.

    Raises:
        OSError, ValueError: the file cannot be read, or is not Parquet.
    """
    import pyarrow.parquet as pq

    check_regular(path)
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
        return [row for rows in _batches(file, model, path) for row in rows]


def _batches(
    file: Any, model: type[Row], path: Path, size: int = GROUP, columns: Sequence[str] | None = None
) -> Iterator[list[Row]]:
    """The rows of an open file, some at a time: as they come from the file they take twice the memory.

    Raises:
        OSError, ValueError: the file cannot be read, or its rows are not of this kind.
    """
    import pyarrow as pa

    maps = [column.name for column in file.schema_arrow if pa.types.is_map(column.type)]
    before = 0
    for batch in file.iter_batches(batch_size=size, columns=columns, use_threads=False):
        rows = batch.to_pylist()
        for row in rows:
            for column in maps:
                if column in row:
                    row[column] = dict(row[column])
        yield _validated(model, rows, path, before)
        before += len(rows)


def _validated(model: type[Row], rows: Sequence[Any], path: Path, before: int = 0) -> list[Row]:
    """Rows as they were read, as rows of a kind; ``before`` of them came earlier.

    Raises:
        ValueError: one is not of this kind; the message says which, and why.
    """
    records: list[Row] = []
    for row_number, row in enumerate(rows, start=before + 1):
        try:
            records.append(model.model_validate(row))
        except ValidationError as error:
            first = error.errors()[0]
            at = ".".join(map(str, first["loc"]))
            raise ValueError(
                f"{path.name}, row {row_number}: {at}: {_lower(first['msg'])}, not {first['input']!r:.80}"
            ) from error
    return records


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


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


def sha256_of(rows: Iterable[Record]) -> str:
    """The hash of some rows, as lines of JSON."""
    hashed = hashlib.sha256()
    for row in rows:
        hashed.update(row.model_dump_json().encode() + b"\n")
    return hashed.hexdigest()


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
        MeDatasetsError: the file is damaged, or its rows are not of this kind.
    """
    try:
        with open_parquet(path) as file:
            yield from _batches(file, model, path, size, None if columns is None else list(columns))
    except (OSError, ValueError, TypeError) as error:
        raise MeDatasetsError(f"the table is damaged: {error}", where=str(path)) from error


def about(path: Path) -> dict[str, Any]:
    """What `stream` kept in the file besides the rows.

    Raises:
        MeDatasetsError: the file is damaged, or another program wrote it.
    """
    try:
        with open_parquet(path) as file:
            kept = json.loads((file.schema_arrow.metadata or {})[_KEY])
    except (OSError, ValueError, KeyError) as error:
        raise MeDatasetsError(
            f"the table is damaged, or not written by me-datasets: {error}", where=str(path)
        ) from error
    return dict(kept)


def arrow_schema(model: type[BaseModel]) -> pa.Schema:
    """The Arrow schema of a row model: int32, float64, string, bool, binary, list, struct, map<string, string>."""
    import pyarrow as pa

    return pa.schema(_arrow_field(name, info.annotation) for name, info in model.model_fields.items())


def _arrow_field(name: str, annotation: Any) -> pa.Field:
    import pyarrow as pa

    members = typing.get_args(annotation)
    optional = typing.get_origin(annotation) in (types.UnionType, typing.Union)
    if optional:
        (annotation,) = (member for member in members if member is not type(None))
        if typing.get_origin(annotation) is typing.Annotated:
            annotation = typing.get_args(annotation)[0]
    return pa.field(name, _arrow_type(annotation), nullable=optional)


def _arrow_type(annotation: Any) -> pa.DataType:
    import pyarrow as pa

    simple = {int: pa.int32(), float: pa.float64(), str: pa.string(), bool: pa.bool_(), bytes: pa.binary()}
    if annotation in simple:
        return simple[annotation]
    origin, members = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return pa.string()
    if origin is list:
        return pa.list_(pa.field("element", _arrow_type(members[0]), nullable=False))
    if origin is dict:
        return pa.map_(pa.string(), pa.string())
    return pa.struct([_arrow_field(name, info.annotation) for name, info in annotation.model_fields.items()])
