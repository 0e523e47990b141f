"""Items as Arrow columns that ``datasets.load_dataset("parquet", …)`` understands."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image

IMAGES = "frames"
"""The column that holds pictures: (N, H, W, 3) uint8 RGB becomes a list of PNG files, which `datasets` decodes."""


def table(rows: Sequence[dict[str, Any]]) -> pa.Table:
    """A table of items that share their names, and per name one dtype and one trailing shape."""
    columns = {name: _column(name, [row[name] for row in rows]) for name in rows[0]}
    result = pa.table(columns)
    return result.replace_schema_metadata(_image_features(result.schema)) if IMAGES in columns else result


def _column(name: str, values: list[Any]) -> pa.Array:
    first = values[0]
    if name == IMAGES:
        return pa.array([[{"bytes": _png(frame), "path": None} for frame in value] for value in values], _IMAGE_LIST)
    if isinstance(first, np.ndarray):
        return _nested(values)
    if isinstance(first, list):
        return pa.array(values, pa.list_(pa.string()))
    kind = pa.string() if isinstance(first, str) else pa.int64() if isinstance(first, int) else pa.float64()
    return pa.array(values, kind)


_IMAGE_LIST = pa.list_(pa.struct([("bytes", pa.binary()), ("path", pa.string())]))


def _nested(values: list[NDArray[np.generic]]) -> pa.Array:
    """Lists of variable length along the first axis, of fixed length along the others."""
    array = pa.array(np.concatenate([value.reshape(-1) for value in values]))
    for size in reversed(values[0].shape[1:]):
        array = pa.FixedSizeListArray.from_arrays(array, size)
    offsets = np.cumsum([0, *(len(value) for value in values)], dtype=np.int32)
    return pa.ListArray.from_arrays(offsets, array)


def _png(frame: NDArray[np.uint8]) -> bytes:
    content = io.BytesIO()
    Image.fromarray(frame).save(content, "PNG")
    return content.getvalue()


def _image_features(schema: pa.Schema) -> dict[str, str]:
    """The metadata by which `datasets` tells pictures from structs of bytes."""
    kinds = {pa.string(): "string", pa.int64(): "int64", pa.float64(): "float64"}
    features: dict[str, Any] = {}
    for column in schema:
        if column.name == IMAGES:
            features[column.name] = {"feature": {"_type": "Image"}, "_type": "List"}
        elif pa.types.is_list(column.type):
            element = {"dtype": str(column.type.value_type), "_type": "Value"}
            features[column.name] = {"feature": element, "_type": "List"}
        else:
            features[column.name] = {"dtype": kinds[column.type], "_type": "Value"}
    return {"huggingface": json.dumps({"info": {"features": features}})}
