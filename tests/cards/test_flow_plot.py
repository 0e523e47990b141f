"""Flow images to look at."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets_me.cards.flow_plot import MOST, draw
from datasets_me.core.errors import MeDatasetsError
from datasets_me.formats.items import ItemRow, write_tables


def export(folder: Path, count: int) -> Path:
    """An export of so many expressions, which all move to the right."""
    items = []
    for number in range(count):
        grey = np.full((16, 16, 3), 90, np.uint8)
        name = f"{number:02}"
        arrays = {"u": np.ones((16, 16), np.float32), "v": np.zeros((16, 16), np.float32)}
        arrays |= {"strain": np.zeros((16, 16), np.float32), "onset_frame": grey, "to_frame": grey}
        np.savez(folder / f"{name}.npz", frames=np.array([3, 9]), emotion=np.array("<b>joy"), **arrays)
        fields = {"subject": "s", "video": f"v{name}", "start": 3, "length": 7, "fps": 200.0}
        items.append(ItemRow(file=f"{name}.npz", key=name, name=name, annotations=[name], **fields))
    write_tables(folder, items, [], [])
    return folder


@pytest.mark.parametrize(("count", "drawn"), [(1, 1), (3, 3), (MOST + 5, MOST)])
def test_up_to_eight_are_drawn(tmp_path: Path, count: int, drawn: int) -> None:
    content, shown = draw(export(tmp_path, count))
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    assert shown == drawn
    assert picture.height > 150 * drawn
    colours = {tuple(pixel) for pixel in np.asarray(picture).reshape(-1, 3)}
    assert {(90, 90, 90), (103, 0, 31), (247, 247, 247), (0, 0, 3)} <= colours  # face, most to the right, still, none
    assert draw(tmp_path) == (content, shown)


def test_an_export_without_expressions(tmp_path: Path) -> None:
    with pytest.raises(MeDatasetsError, match="there is no flow image of an expression to draw"):
        draw(export(tmp_path, 0))
