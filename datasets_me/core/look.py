"""Looking into image files: format, size, damage."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

_SUFFIX_OF = {"JPEG": ("jpg", "jpeg"), "PNG": ("png",), "BMP": ("bmp",), "TIFF": ("tif", "tiff")}


@dataclass(frozen=True)
class ImageFacts:
    """What an image file is. ``damage`` says why it cannot be decoded, or is None."""

    format: str | None = None
    width: int | None = None
    height: int | None = None
    channels: int | None = None
    empty: bool = False
    damage: str | None = None


def look(path: Path, *, decode: bool = False) -> ImageFacts:
    """Read the head of an image file; with ``decode`` all of it, which finds truncated files."""
    try:
        if path.stat().st_size == 0:
            return ImageFacts(empty=True)
        with Image.open(path) as image:
            facts = ImageFacts((image.format or "").lower(), *image.size, len(image.getbands()))
            if decode:
                image.load()
            return facts
    except UnidentifiedImageError:
        return ImageFacts(damage="no image format is recognised")
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        return ImageFacts(damage=str(error) or type(error).__name__)


def suffix_fits(name: str, image_format: str) -> bool:
    """Whether the suffix of a file name is one of the format's."""
    return name.rpartition(".")[2].casefold() in _SUFFIX_OF.get(image_format.upper(), ())
