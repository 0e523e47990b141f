"""Odd files as upright pictures of 8 bits, and damaged ones as words."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from datasets_me.core.pictures import DamageError, decode, look, suffix_fits
from datasets_me.formats.image_records import ImageRow
from datasets_me.formats.image_set import load_image


def picture() -> NDArray[np.uint8]:
    """A smooth picture (20, 30, 3) in RGB, different at every corner."""
    y, x = np.mgrid[0:20, 0:30]
    return np.stack([x * 8, y * 12, 255 - x * 4 - y * 5], axis=-1).astype(np.uint8)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def _turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


PICTURE = Image.fromarray(picture())
WHOLE = [
    saved(PICTURE, "JPEG", exif=_turned()),
    saved(PICTURE, "PNG", exif=_turned()),
    saved(PICTURE, "WEBP"),
    saved(PICTURE.convert("CMYK"), "TIFF"),
    saved(PICTURE.quantize(8), "GIF", save_all=True, append_images=[PICTURE.quantize(4)]),
    saved(PICTURE, "BMP"),
    saved(PICTURE, "PPM"),
]


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM", "WEBP"])
def test_lossless_formats_are_what_was_saved(kind: str) -> None:
    content = saved(Image.fromarray(picture()), kind, **({"lossless": True} if kind == "WEBP" else {}))
    image, changes = decode(content)
    assert np.array_equal(image[:, :, ::-1], picture())
    assert changes == []
    facts, damage = look(content)
    assert damage is None
    assert facts == (kind.casefold(), 30, 20)


def test_sixteen_bits_are_scaled() -> None:
    grey = (np.arange(600).reshape(20, 30) * 109).astype(np.uint16)
    image, changes = decode(saved(Image.fromarray(grey), "PNG"))
    assert changes == ["16 bits to 8"]
    assert np.abs(image[:, :, 0].astype(int) - grey / 257).max() <= 0.5


def test_sixteen_bits_of_colour_are_named() -> None:
    deep = picture().astype(np.uint16) * 257
    coded = cv2.imencode(".png", deep)[1].tobytes()
    image, changes = decode(coded)
    assert changes == ["16 bits to 8"]
    assert np.array_equal(image, picture())


def test_floating_point_numbers_are_stretched() -> None:
    values = np.linspace(-1, 3, 600, dtype=np.float32).reshape(20, 30)
    image, changes = decode(saved(Image.fromarray(values), "TIFF"))
    assert changes == ["32 bits to 8"]
    assert (image.min(), image.max()) == (0, 255)


def test_transparent_parts_are_white() -> None:
    layered = Image.fromarray(picture())
    alpha = Image.new("L", layered.size, 255)
    alpha.paste(0, (0, 0, 5, 5))
    layered.putalpha(alpha)
    image, changes = decode(saved(layered, "PNG"))
    assert changes == ["transparent parts made white"]
    assert (image[:5, :5] == 255).all()
    assert np.array_equal(image[5:, :, ::-1], picture()[5:])


def test_an_opaque_alpha_channel_is_no_change() -> None:
    layered = Image.fromarray(picture())
    layered.putalpha(255)
    assert decode(saved(layered, "PNG")).changes == []


@pytest.mark.parametrize(("orientation", "turns", "mirrored"), [
    (1, 0, False), (2, 0, True), (3, 2, False), (4, 2, True), (5, 3, True), (6, 3, False), (7, 1, True), (8, 1, False)
])  # fmt: skip
def test_exif_turns_the_picture(orientation: int, turns: int, mirrored: bool) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = saved(Image.fromarray(picture()), "PNG", exif=exif)
    image, changes = decode(content)
    assert changes == (["turned as EXIF says"] if orientation > 1 else [])
    turned = np.rot90(picture(), turns)
    assert np.array_equal(image[:, :, ::-1], turned[:, ::-1] if mirrored else turned)


def test_damaged_exif_is_passed_over() -> None:
    content = cv2.imencode(".jpg", picture())[1].tobytes()
    broken = b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01\x03\0"
    marked = content[:2] + b"\xff\xe1" + (len(broken) + 2).to_bytes(2, "big") + broken + content[2:]
    assert np.array_equal(decode(marked).image, decode(content).image)
    assert look(marked)[1] is None


def test_the_first_frame_of_several() -> None:
    first = Image.fromarray(picture()[:, :, 0])
    other = Image.fromarray(255 - picture()[:, :, 0])
    image, changes = decode(saved(first, "GIF", save_all=True, append_images=[other, first]))
    assert changes == ["first of 3 frames"]
    assert np.array_equal(image[:, :, 0], picture()[:, :, 0])


def test_cmyk_and_palettes() -> None:
    assert decode(saved(Image.fromarray(picture()).convert("CMYK"), "TIFF")).changes == ["CMYK to RGB"]
    assert decode(saved(Image.fromarray(picture()).quantize(16), "PNG")).changes == []


@settings(max_examples=300)
@given(st.data())
def test_damage_is_said_in_words_and_never_raised_otherwise(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(WHOLE)))
    for place, value in data.draw(
        st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)), max_size=4)
    ):
        content[place] = value
    cut = bytes(content[: data.draw(st.integers(0, len(content)))])
    _, damage = look(cut)
    try:
        image = decode(cut).image
    except DamageError as error:
        assert str(error)
        assert damage
    else:
        assert image.dtype == np.uint8
        assert image.ndim == 3 and image.shape[2] == 3


@pytest.mark.parametrize("kind", [".jpg", ".png"])
def test_a_file_cut_off_is_damaged(kind: str) -> None:
    content = cv2.imencode(kind, picture())[1].tobytes()
    facts, damage = look(content[:-30])
    assert facts is not None
    assert damage


def test_pixels_of_a_table() -> None:
    row = ImageRow(id="t#2", dataset="t", pixels=bytes(range(6)), width=3, height=2, format="pixels", source_file="t")
    image = load_image(row, None)
    assert isinstance(image, np.ndarray)
    assert image[:, :, 1].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert load_image(row.model_copy(update={"height": 3}), None) == "there are no pixels"


def test_suffixes_of_a_format() -> None:
    assert suffix_fits("a/b.JPEG", "jpeg") and suffix_fits("b.tif", "tiff") and suffix_fits("b.png", "png")
    assert not suffix_fits("b.jpg", "png")


def test_a_whole_first_frame_before_damaged_ones() -> None:
    image, changes = decode(WHOLE[4][:-60])
    assert np.array_equal(image, decode(WHOLE[4]).image)
    assert len(changes) == 1 and changes[0].startswith("first ")
