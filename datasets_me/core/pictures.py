"""Any image file as an upright picture of 8 bits: one place that knows what odd files hold."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import UnidentifiedImageError

Image = NDArray[np.uint8]

_ORIENTATION = 0x0112  # the EXIF tag
_TURNS = {
    2: Pillow.Transpose.FLIP_LEFT_RIGHT,
    3: Pillow.Transpose.ROTATE_180,
    4: Pillow.Transpose.FLIP_TOP_BOTTOM,
    5: Pillow.Transpose.TRANSPOSE,
    6: Pillow.Transpose.ROTATE_270,
    7: Pillow.Transpose.TRANSVERSE,
    8: Pillow.Transpose.ROTATE_90,
}
_DEEP = ("I", "I;16", "I;16B", "I;16L", "I;16N", "F")
_PLAIN = ("1", "L", "P", "RGB")
_SUFFIXES = {
    "jpeg": ("jpg", "jpeg", "jpe", "jfif"),
    "mpo": ("jpg", "jpeg", "mpo"),
    "tiff": ("tif", "tiff"),
    "jpeg2000": ("jp2", "j2k", "jpx"),
    "ppm": ("ppm", "pgm", "pbm", "pnm"),
}
SUFFIXES = frozenset(
    ("bmp", "gif", "png", "webp", "avif", "heic", *(name for names in _SUFFIXES.values() for name in names))
)
"""The suffixes of files that are taken for images by their names."""


class Facts(NamedTuple):
    """What the head of a file says: the format as Pillow names it, in lower case, and the size in px."""

    format: str
    width: int
    height: int


class Decoded(NamedTuple):
    """A picture (H, W, 3) in BGR, upright, and in words what it took to make it so."""

    image: Image
    changes: list[str]


class DamageError(Exception):
    """An image cannot be decoded; the text says why."""


def is_image_name(name: str) -> bool:
    """Whether a file's suffix is that of an image, and the file is not hidden."""
    return name.rpartition(".")[2].casefold() in SUFFIXES and not name.startswith(".")


def suffix_fits(name: str, image_format: str) -> bool:
    """Whether the suffix of a file's name is one of the format's."""
    return name.rpartition(".")[2].casefold() in _SUFFIXES.get(image_format, (image_format,))


def look(content: bytes) -> tuple[Facts | None, str | None]:
    """What a file is, from its head, and why it cannot be decoded to its end, or None.

    JPEG is decoded at an eighth of its size, which finds what is cut off or damaged in a fraction of the time.
    """
    facts: Facts | None = None
    try:
        with _opened(content) as image:
            facts = Facts((image.format or "").casefold(), *image.size)
            with _words_for_errors():
                image.draft("RGB", (max(1, image.width // 8), max(1, image.height // 8)))
                image.load()
    except DamageError as error:
        return facts, str(error)
    return facts, None


def decode(content: bytes) -> Decoded:
    """The picture in a file.

    The first of several frames; turned as EXIF says; 16 bits scaled to 8 (a range given by the values where they are
    floating-point numbers); transparent parts on white; CMYK and other colours converted to RGB.

    Raises:
        DamageError: there is none, or not all of it.
    """
    with _opened(content) as image, _words_for_errors():
        changes: list[str] = []
        image.load()
        picture: Pillow.Image = image.copy()
        turn = _TURNS.get(_orientation(image))
        if turn is not None:
            changes.append("turned as EXIF says")
            picture = picture.transpose(turn)
        if picture.mode in _DEEP:
            changes.append(f"{'32' if picture.mode in ('I', 'F') else '16'} bits to 8")
            picture = _eight_bits(picture)
        elif _sixteen_bits(image.format, content):
            changes.append("16 bits to 8")  # Pillow keeps the upper half of each
        if picture.has_transparency_data:
            # an alpha channel that is opaque everywhere changes nothing
            layered = picture.convert("RGBA")
            if np.asarray(layered.getchannel("A")).min() < 255:
                changes.append("transparent parts made white")
            white = Pillow.new("RGBA", layered.size, (255, 255, 255, 255))
            picture = Pillow.alpha_composite(white, layered).convert("RGB")
        elif picture.mode not in _PLAIN:
            changes.append(f"{picture.mode} to RGB")
        colour = np.asarray(picture.convert("RGB"), np.uint8)
        changes += _other_frames(image)  # last, because counting them goes through the file
    return Decoded(np.ascontiguousarray(colour[:, :, ::-1]), changes)


def _opened(content: bytes) -> Pillow.Image:
    if not content:
        raise DamageError("the file is empty")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on odd metadata, and on sizes that are large but not refused
            return Pillow.open(io.BytesIO(content))
    except UnidentifiedImageError as error:
        raise DamageError("no image format is recognised") from error
    except (OSError, SyntaxError, ValueError, EOFError, Pillow.DecompressionBombError) as error:
        raise DamageError(str(error) or type(error).__name__) from error


@contextmanager
def _words_for_errors() -> Iterator[None]:
    """Decoders of damaged files raise whatever they stumble upon, and warn; all of it means damage."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Exception as error:
        raise DamageError(str(error) or type(error).__name__) from error


def _orientation(image: Pillow.Image) -> int:
    """What EXIF says, 1 to 8; 1 where it says nothing or is damaged itself, which leaves the picture as it is."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:
        return 1


def _other_frames(image: Pillow.Image) -> list[str]:
    """What is left out of a file with several pictures; the second one of an MPO is the same from another eye."""
    if image.format == "MPO":
        return []
    try:
        frames = int(getattr(image, "n_frames", 1))
    except Exception:
        return ["first frame, those after it are damaged"]
    return [f"first of {frames} frames"] if frames > 1 else []


def _sixteen_bits(image_format: str | None, content: bytes) -> bool:
    """Whether a PNG, of several channels, has 16 bits in each: so its head says, and Pillow does not."""
    return image_format == "PNG" and content[12:16] == b"IHDR" and content[24:25] == b"\x10"


def _eight_bits(picture: Pillow.Image) -> Pillow.Image:
    values = np.asarray(picture, np.float64)
    if picture.mode == "F" or values.min() < 0 or values.max() > 65535:
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        scaled = (np.nan_to_num(values, nan=low) - low) * (255 / (high - low) if high > low else 0)
    else:
        scaled = values / 257
    return Pillow.fromarray(np.rint(scaled).astype(np.uint8))
