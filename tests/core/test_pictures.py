"""Odd files as upright pictures of 8 bits, and damaged ones as words."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageCms, PngImagePlugin

from datasets_me.core.pictures import DamageError, decode, decode_frame, decode_grey, look, look_at, suffix_fits
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


def test_the_grey_picture_is_that_of_the_colours() -> None:
    """Whether a JPEG's brightness is read as it is stored, or a picture is converted, turned or made smaller."""
    for content in [*WHOLE, saved(PICTURE.convert("L"), "JPEG"), saved(PICTURE.convert("CMYK"), "JPEG"), LAB]:
        for longest in (None, 12):
            grey = cv2.cvtColor(decode(content, longest=longest).image, cv2.COLOR_BGR2GRAY)
            difference = cv2.absdiff(decode_grey(content, longest=longest), grey)
            assert difference.max() <= 2
    with pytest.raises(DamageError):
        decode_grey(WHOLE[0][:-60])


def test_an_orientation_in_xmp_is_found() -> None:
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/" tiff:Orientation="6"/>'
    for kind in ("JPEG", "PNG"):
        options = {"xmp": xmp}
        if kind == "PNG":
            info = PngImagePlugin.PngInfo()
            info.add_itxt("XML:com.adobe.xmp", xmp.decode())
            options = {"pnginfo": info}
        assert decode(saved(PICTURE, kind, **options)).changes == ["turned as EXIF says"]


LAB = saved(ImageCms.applyTransform(PICTURE, ImageCms.buildTransform(
    ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
)), "TIFF")  # fmt: skip


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM", "WEBP"])
def test_lossless_formats_are_what_was_saved(kind: str) -> None:
    content = saved(Image.fromarray(picture()), kind, **({"lossless": True} if kind == "WEBP" else {}))
    image, changes = decode(content)
    assert np.array_equal(image[:, :, ::-1], picture())
    assert changes == []
    facts, damage = look(content)
    assert damage is None
    assert facts == (kind.casefold(), 30, 20, 3)


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


def forms() -> dict[str, bytes]:
    """Every kind of file that frames and images come as."""
    grey = PICTURE.convert("L")
    layered = PICTURE.copy()
    layered.putalpha(Image.linear_gradient("L").resize(PICTURE.size))
    deep = Image.fromarray((np.arange(600).reshape(20, 30) * 109).astype(np.uint16))
    made = {
        "jpeg, all colours": saved(PICTURE, "JPEG", subsampling=0),
        "jpeg, progressive": saved(PICTURE, "JPEG", progressive=True),
        "jpeg, with what a camera adds": saved(PICTURE, "JPEG") + b"a remark",
        "jpeg, cmyk": saved(PICTURE.convert("CMYK"), "JPEG"),
        "png, palette": saved(PICTURE.quantize(16), "PNG"),
        "png, black and white": saved(PICTURE.convert("1"), "PNG"),
        "png, layered": saved(layered, "PNG"),
        "png, one colour transparent": saved(PICTURE, "PNG", transparency=(0, 0, 255)),
        "png, deep": saved(deep, "PNG"),
        "png, deep colours": cv2.imencode(".png", picture().astype(np.uint16) * 251)[1].tobytes(),
        "tiff, deep": saved(deep, "TIFF"),
        "gif, two frames": saved(grey, "GIF", save_all=True, append_images=[PICTURE.convert("L").rotate(180)]),
        "webp": saved(PICTURE, "WEBP"),
        "jpeg 2000": saved(PICTURE, "JPEG2000"),
        "ppm": saved(PICTURE, "PPM"),
    }
    for kind in ("JPEG", "PNG", "BMP", "TIFF"):
        made[f"{kind}, grey"] = saved(grey, kind)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        for kind in ("JPEG", "PNG", "TIFF", "WEBP"):
            made[f"{kind}, orientation {orientation}"] = saved(PICTURE, kind, exif=exif)
    return made


@pytest.mark.parametrize("content", [pytest.param(content, id=name) for name, content in forms().items()])
def test_the_same_pixels_whoever_asks(content: bytes, tmp_path: Path) -> None:
    image = decode(content).image
    assert np.array_equal(decode_frame(content, colour=True), image)
    grey = decode_frame(content, colour=False)
    assert (grey.dtype, grey.shape) == (np.uint8, image.shape[:2])
    assert np.abs(grey.astype(int) - cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)).max() <= 2
    (tmp_path / "frame").write_bytes(content)
    for facts, damage in (look(content), look_at(tmp_path / "frame", whole=False)):
        assert damage is None
        assert facts is not None and (facts.height, facts.width) == image.shape[:2]


def stray_marker() -> bytes:
    """A JPEG file with a byte of 255 in its middle, after which OpenCV gives grey without an error."""
    y, x = np.mgrid[0:96, 0:96]
    content = bytearray(cv2.imencode(".jpg", (128 + 60 * np.sin(x * y / 40)).astype(np.uint8))[1].tobytes())
    content[-400:-398] = b"\xff\xc4"
    return bytes(content)


def png_head(width: int, height: int) -> bytes:
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    head = struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return b"\x89PNG\r\n\x1a\n" + head + struct.pack(">I", 9) + b"IDAT"


DAMAGED = {
    "nothing in it": (b"", "the file is empty"),
    "text": (b"not an image", "no image format is recognised"),
    "a program that draws": (
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
        "no image format is recognised",
    ),
    "more than fits": (png_head(10_000, 5_001), "it has more than 50,000,000 pixels"),
    "much more than fits": (png_head(60_000, 60_000), "it has more than 50,000,000 pixels"),
    "cut off": (saved(PICTURE, "JPEG")[:-30], "image file is truncated"),
    "the last byte gone": (saved(PICTURE, "JPEG")[:-1], "image file is truncated"),
    "cut off and filled": (
        saved(PICTURE, "JPEG")[:-90] + bytes(90),
        "image file is truncated",
    ),
    "a stray marker": (stray_marker(), "broken data stream when reading image file"),
    "half a bitmap": (saved(PICTURE, "BMP")[:900], "image file is truncated"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damage_is_one_thing_whoever_asks(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    content, why = DAMAGED[name]
    (tmp_path / "frame").write_bytes(content)
    found = [look(content)[1], look_at(tmp_path / "frame", whole=True)[1]]
    for act in (decode, lambda it: decode_frame(it, colour=True), lambda it: decode_frame(it, colour=False)):
        with pytest.raises(DamageError) as caught:
            act(content)
        found.append(caught.value.what)
    assert [said.partition(" (")[0] for said in found] == [why] * 5
    assert capfd.readouterr() == ("", "")


CHANGED = [WHOLE[0], WHOLE[1], WHOLE[5], saved(PICTURE.convert("L"), "JPEG")]


@settings(max_examples=200)
@given(st.data())
def test_frames_are_damaged_where_images_are(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(CHANGED)))
    for place, value in data.draw(
        st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)), min_size=1, max_size=3)
    ):
        content[place] = value
    changed = bytes(content[: data.draw(st.sampled_from([len(content), len(content) // 2]))])
    try:
        image = decode(changed).image
    except DamageError:
        with pytest.raises(DamageError):
            decode_frame(changed, colour=True)
    else:
        assert np.array_equal(decode_frame(changed, colour=True), image)


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    for whole in (False, True):
        assert look_at(tmp_path / "pipe.jpg", whole=whole) == (None, "it is not a regular file")
        assert look_at(tmp_path / "none.jpg", whole=whole) == (None, "No such file or directory")


def test_what_others_write_to_standard_error_is_seen(capfd: pytest.CaptureFixture[str]) -> None:
    os.write(2, b"before ")
    decode_frame(WHOLE[0], colour=True)
    os.write(2, b"after")
    assert capfd.readouterr().err == "before after"


def test_facts_need_neither_numpy_nor_opencv() -> None:
    """Which an installation that converts and checks does without."""
    program = """
import sys
sys.modules.update(numpy=None, cv2=None)
from datasets_me.core.pictures import look
print(look(sys.stdin.buffer.read()))
"""
    done = subprocess.run([sys.executable, "-c", program], input=WHOLE[1], capture_output=True, timeout=60, check=True)
    assert done.stdout.decode() == "(Facts(format='png', width=20, height=30, channels=3), None)\n"
