"""The one decoder: what an image file is, whether it is whole, and its picture, upright and of 8 bits.

Every file is opened by Pillow first, which tells its format by its content, not by its name, and its size before
anything is decoded. Only the formats in `SUFFIXES` are opened, and only images of up to `MOST_PIXELS`.

There are three outputs. `decode` gives the picture in colour and says what was changed to get it, `decode_grey` the
same picture in grey. `decode_frame` is for the frames of videos, in colour or grey: OpenCV decodes the plain ones,
which is faster and gives the same colours. Its grey is the brightness that a JPEG file stores, else that of the
colours.

One rule for damage: a file is damaged if Pillow cannot decode it to its end. OpenCV fills what is missing with grey,
so its picture is used only if the file ends as its format ends and OpenCV gives no warning, or if Pillow decodes the
file, too.
"""

from __future__ import annotations

import io
import os
import stat
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal, NamedTuple

from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.files import read_regular

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Image = NDArray[np.uint8]

MOST_PIXELS = 50_000_000
"""The most pixels of an image that is decoded, those of a good camera; decoding them takes up to 1 GB."""

PILLOW_PIXELS = 178_956_970
"""More pixels than this Pillow refuses, whatever limit is given here."""

EMPTY = "the file is empty"

_ORIENTATION = 0x0112  # the EXIF tag
_TURNS: dict[int, Callable[[Image], Image]] = {
    2: lambda image: image[:, ::-1],
    3: lambda image: image[::-1, ::-1],
    4: lambda image: image[::-1],
    5: lambda image: image.swapaxes(0, 1),
    6: lambda image: image.swapaxes(0, 1)[:, ::-1],
    7: lambda image: image.swapaxes(0, 1)[::-1, ::-1],
    8: lambda image: image.swapaxes(0, 1)[::-1],
}
_DEEP = ("I", "I;16", "I;16B", "I;16L", "I;16N", "F")
_PLAIN = ("1", "L", "P", "RGB")
_REDUCED = ("L", "LA", "RGB", "RGBA", "CMYK", "YCbCr", "I", "F")  # modes that Pillow can shrink by a whole number
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
"""The suffixes of files that are recognised as images by their names."""

_COMMON = ("JPEG", "PNG", "BMP", "GIF", "PPM")  # Pillow knows these without loading all its formats
_OTHERS = ("TIFF", "WEBP", "JPEG2000", "AVIF")
_BY_OPENCV = ("JPEG", "PNG", "BMP")
_ORIENTED_BY_INFO = ("JPEG", "MPO", "PNG", "BMP", "GIF", "PPM")
_ORIENTING = frozenset({"exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp"})  # where Pillow looks in ``info``
_ORIENTED_PNG = (b"eXIf", b"Raw profile type", b"com.adobe.xmp")  # an orientation may be stored anywhere in a PNG


class Facts(NamedTuple):
    """What a file says about its image.

    The format as Pillow names it, in lower case; width and height in px of the upright picture; channels.
    """

    format: str
    width: int
    height: int
    channels: int


class Decoded(NamedTuple):
    """A picture (H, W, 3) in BGR, upright, and in words what was changed to get it."""

    image: Image
    changes: list[str]


class DamageError(MeDatasetsError):
    """An image cannot be decoded; the text says why."""


def is_image_name(name: str) -> bool:
    """Whether a file's suffix is that of an image, and the file is not hidden."""
    return name.rpartition(".")[2].casefold() in SUFFIXES and not name.startswith(".")


def suffix_fits(name: str, image_format: str) -> bool:
    """Whether the suffix of a file's name is one of the format's."""
    return name.rpartition(".")[2].casefold() in _SUFFIXES.get(image_format, (image_format,))


def look(content: bytes, most_pixels: int = MOST_PIXELS) -> tuple[Facts | None, str | None]:
    """The facts about an image, where its head can be read, and why it cannot be decoded to its end, or None.

    JPEG is decoded at an eighth of its size, which finds what is cut off or damaged in a fraction of the time. Of an
    image with more than ``most_pixels``, only the head is read.
    """
    return _look(io.BytesIO(content), len(content), whole=True, most_pixels=most_pixels)


def look_at(path: Path, *, whole: bool) -> tuple[Facts | None, str | None]:
    """`look` at a file. Without ``whole`` only its head is read, which misses most damage."""
    try:
        if whole:
            return look(read_regular(path))
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            return None, "it is not a regular file"
        with path.open("rb") as file:
            return _look(file, about.st_size, whole=False)
    except OSError as error:
        return None, error.strerror or str(error)


def decode(content: bytes, *, longest: int | None = None, most_pixels: int = MOST_PIXELS) -> Decoded:
    """The picture in a file.

    The first of several frames; turned as EXIF says; 16 bits scaled to 8 (a range given by the values where they are
    floating-point numbers); transparent parts on white; CMYK and other colours converted to RGB.

    Args:
        content: the bytes of the file.
        longest: a picture whose longer side has twice as many px or more is shrunk by a whole number, as far as its
            longer side stays at least this long. This takes a fraction of the time for JPEG, and of the memory for all.
        most_pixels: larger images are refused.

    Raises:
        DamageError: the file is not an image, or is damaged.
    """
    import cv2
    import numpy as np

    rgb, changes = _decoded(content, "RGB", longest, most_pixels)
    return Decoded(np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), np.uint8), changes)


def decode_grey(content: bytes, *, longest: int | None = None, most_pixels: int = MOST_PIXELS) -> Image:
    """The picture of `decode` in grey (H, W), which weights colours as ITU-R 601-2 does.

    That of a JPEG is the brightness it stores, whose colours then need not be worked out.

    Raises:
        DamageError: the file is not an image, or is damaged.
    """
    return _decoded(content, "L", longest, most_pixels)[0]


def _decoded(
    content: bytes, mode: Literal["RGB", "L"], longest: int | None, most_pixels: int
) -> tuple[Image, list[str]]:
    """The picture in a file, upright, in colour (H, W, 3) or grey (H, W), and what was changed; see `decode`."""
    import numpy as np

    with _opened(io.BytesIO(content), len(content), most_pixels) as image, _errors_as_damage():
        changes: list[str] = []
        if image.format in ("JPEG", "MPO"):
            factor = max(1, max(image.size) // longest) if longest else 1
            image.draft("L" if mode == "L" else None, (max(1, image.width // factor), max(1, image.height // factor)))
        image.load()
        picture: Pillow.Image = image
        if longest is not None and picture.mode in _REDUCED and (by := max(picture.size) // longest) > 1:
            picture = picture.reduce(by)
        turn = _TURNS.get(_orientation(image))
        if turn is not None:
            changes.append("turned as EXIF says")
        if picture.mode in _DEEP:
            changes.append(f"{'32' if picture.mode in ('I', 'F') else '16'} bits to 8")
            picture = _eight_bits(picture)
        elif _sixteen_bits(image.format, content):
            changes.append("16 bits to 8")  # Pillow keeps the upper half of each
        if picture.has_transparency_data:
            # an alpha channel that is opaque everywhere changes nothing
            layered = picture if picture.mode == "RGBA" else picture.convert("RGBA")
            if np.asarray(layered.getchannel("A")).min() < 255:
                changes.append("transparent parts made white")
            white = Pillow.new("RGBA", layered.size, (255, 255, 255, 255))
            picture = Pillow.alpha_composite(white, layered).convert("RGB")
        elif picture.mode not in _PLAIN:
            changes.append(f"{picture.mode} to RGB")
            picture = picture.convert("RGB")  # of some modes, Pillow makes grey only by this way
        pixels = np.asarray(picture if picture.mode == mode else picture.convert(mode), np.uint8)
        changes += _other_frames(image)  # last, because counting them goes through the file
    return (np.ascontiguousarray(turn(pixels)) if turn else pixels), changes


def decode_frame(content: bytes, *, colour: bool) -> Image:
    """The picture in a file: (H, W, 3) in BGR or (H, W) grey, as `decode` makes it.

    Raises:
        DamageError: the file is not an image, or is damaged.
    """
    import cv2
    import numpy as np

    with _opened(io.BytesIO(content), len(content)) as image:
        plain = _is_plain(image, content)
        turn = _TURNS.get(_orientation(image)) if plain and image.format != "PNG" else None
    if plain:
        picture, silent = _by_opencv(content, colour)
        if picture is not None and ((silent and _ends(content)) or look(content)[1] is None):
            return np.ascontiguousarray(turn(picture)) if turn else picture
    picture = decode(content).image
    return picture if colour else np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)


def _look(
    file: IO[bytes], size: int, *, whole: bool, most_pixels: int = MOST_PIXELS
) -> tuple[Facts | None, str | None]:
    facts: Facts | None = None
    try:
        with _opened(file, size, most_pixels) as image:
            facts = _facts(image, image.size)
            if whole:
                size_in_head = image.size
                with _errors_as_damage():
                    image.draft("RGB", (max(1, image.width // 8), max(1, image.height // 8)))
                    image.load()
                facts = _facts(image, size_in_head)
    except DamageError as error:
        return facts, str(error)
    return facts, None


def _facts(image: Pillow.Image, size: tuple[int, int]) -> Facts:
    # PNG may have its EXIF at the end, and Pillow would go there; TIFF is turned by Pillow itself
    known = image.format not in ("PNG", "TIFF") or (image.format == "PNG" and "exif" in image.info)
    width, height = size[::-1] if known and _orientation(image) >= 5 else size
    return Facts((image.format or "").casefold(), width, height, len(image.getbands()))


def _opened(file: IO[bytes], size: int, most_pixels: int = MOST_PIXELS) -> Pillow.Image:
    """An image of which only the head is read."""
    too_large = f"it has more than {most_pixels:,} pixels"
    if not size:
        raise DamageError(EMPTY)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about odd metadata, and about sizes that are large but allowed
            try:
                image = Pillow.open(file, formats=_COMMON)
            except UnidentifiedImageError:
                image = Pillow.open(file, formats=_other_formats())
    except UnidentifiedImageError as error:
        raise DamageError("no image format is recognised") from error
    except Pillow.DecompressionBombError as error:
        raise DamageError(too_large) from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise DamageError(str(error) or type(error).__name__) from error
    if image.width * image.height > most_pixels:
        image.close()
        raise DamageError(too_large)
    return image


@cache
def _other_formats() -> tuple[str, ...]:
    """Those of the formats that this Pillow can read."""
    Pillow.init()
    return tuple(name for name in _OTHERS if name in Pillow.OPEN)


def _is_plain(image: Pillow.Image, content: bytes) -> bool:
    """Whether OpenCV decodes a file as `decode` does, except for its orientation, or fails to."""
    if image.format not in _BY_OPENCV or image.mode not in _PLAIN or image.has_transparency_data:
        return False
    return image.format != "PNG" or not (
        _sixteen_bits(image.format, content) or any(mark in content for mark in _ORIENTED_PNG)
    )


def _by_opencv(content: bytes, colour: bool) -> tuple[Image | None, bool]:
    """The picture in a file as OpenCV decodes it, None where it fails, and whether it did so without a warning."""
    import cv2
    import numpy as np

    with _warnings_of_libraries() as words:
        try:
            how = cv2.IMREAD_COLOR if colour else cv2.IMREAD_GRAYSCALE
            picture = cv2.imdecode(np.frombuffer(content, np.uint8), how | cv2.IMREAD_IGNORE_ORIENTATION)
        except cv2.error:
            picture = None
    return (None if picture is None else np.asarray(picture, np.uint8)), not words


def _ends(content: bytes) -> bool:
    """Whether a file ends as its format ends; decoders fill in what is missing without a warning."""
    if content.startswith(b"\xff\xd8"):
        return content.rstrip(b"\0\n\r ").endswith(b"\xff\xd9")
    return not content.startswith(b"\x89PNG") or b"IEND" in content[-16:]


_STDERR = threading.Lock()  # there is one for the whole process


@contextmanager
def _warnings_of_libraries() -> Iterator[list[bytes]]:
    """What C libraries write to standard error in the block, in a list that is empty if they write nothing.

    It is kept off the terminal, where it would stand without the name of a file.
    """
    words: list[bytes] = []
    with _STDERR:
        kept = _catch()
        stderr = os.dup(2)
        try:
            os.dup2(kept, 2)
            yield words
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            if count := os.lseek(kept, 0, os.SEEK_CUR):
                os.lseek(kept, 0, os.SEEK_SET)
                words.append(os.read(kept, count))
                os.lseek(kept, 0, os.SEEK_SET)


@cache
def _catch() -> int:
    """A nameless file that takes what is written to standard error."""
    if sys.platform == "linux":
        return os.memfd_create("stderr")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


@contextmanager
def _errors_as_damage() -> Iterator[None]:
    """Any exception or warning of a decoder means that the file is damaged."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Exception as error:
        raise DamageError(str(error) or type(error).__name__) from error


def _orientation(image: Pillow.Image) -> int:
    """The orientation in EXIF, 1 to 8; 1, which changes nothing, where there is none or EXIF is damaged.

    That of a PNG may stand at its end, and is known once the image is loaded.
    """
    if image.format in _ORIENTED_BY_INFO and _ORIENTING.isdisjoint(image.info):
        return 1  # Pillow would come to the same, but takes as long for it as for decoding a small image
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:
        return 1


def _other_frames(image: Pillow.Image) -> list[str]:
    """What is left out of a file with several pictures; the second one of an MPO is the view of the other eye."""
    if image.format == "MPO":
        return []
    try:
        frames = int(getattr(image, "n_frames", 1))
    except Exception:
        return ["first frame, those after it are damaged"]
    return [f"first of {frames} frames"] if frames > 1 else []


def _sixteen_bits(image_format: str | None, content: bytes) -> bool:
    """Whether a PNG has 16 bits per channel by its head; Pillow does not say so where there are several channels."""
    return image_format == "PNG" and content[12:16] == b"IHDR" and content[24:25] == b"\x10"


def _eight_bits(picture: Pillow.Image) -> Pillow.Image:
    import numpy as np

    values = np.array(picture, np.float32)  # everything is done in place, to save memory
    if picture.mode == "F" or values.min() < 0 or values.max() > 65535:
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        np.nan_to_num(values, copy=False, nan=low)
        values -= low
        values *= 255 / (high - low) if high > low else 0
    else:
        values /= 257
    return Pillow.fromarray(np.rint(values, out=values).astype(np.uint8))
