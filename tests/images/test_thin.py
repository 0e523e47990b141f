"""Images of one pixel, and of one row or column of many: small to look at, and nothing to shrink."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets_me.core.pictures import decode
from datasets_me.images.groups.groups import every_face
from datasets_me.images.looks.duplicates import hash_row
from datasets_me.images.looks.faces import Finder, examine
from datasets_me.images.looks.quality import measure
from datasets_me.images.unify import Form, formed
from tests.images.conftest import row


@pytest.mark.parametrize("size", [(1, 1), (9000, 1), (1, 9000)])
def test_every_verb_takes_them(size: tuple[int, int], tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3)).astype(np.uint8)
    for kind in ("JPEG", "PNG"):
        content = io.BytesIO()
        Image.fromarray(pixels).save(content, kind)
        (tmp_path / "a.img").write_bytes(content.getvalue())
        image = row("a.img", width=size[0], height=size[1])
        assert len(hash_row(image, root=tmp_path).phash) == 8
        assert measure((image, []), root=tmp_path).side == 1
        assert formed(decode(content.getvalue(), longest=64).image, Form("png", 32, pad=True)).shape == (32, 32, 3)
    assert examine(pixels, Finder("haar").make()) == ([], None)
    assert every_face(pixels, Finder("dlib").make()) == ([], [])
