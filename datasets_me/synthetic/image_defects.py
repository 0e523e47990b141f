"""Defects of a set with a folder per class, each of which ``me-datasets images`` has to find."""

from __future__ import annotations

import io

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from datasets_me.synthetic.image_draft import ImageSetDraft
from datasets_me.synthetic.pictures import face_picture, jpeg, no_face, two_faces

Image = NDArray[np.uint8]

_CHOSEN = 77
"""The seed of the faces that are made hard to see; the detector still finds those numbered below."""

_BLURRED, _DARK, _SMALL, _COVERED = 36, 21, 19, 39

_COVER = ((84, 38), (18, 20))
"""Centre and half axes in px of what covers one eye and cheek."""


def plant(draft: ImageSetDraft, number: int) -> None:
    """Add images with defects, numbered from ``number`` on."""
    names = iter(range(number, number + 100))

    def add(content: bytes, folder: str = "train/happiness", suffix: str = "jpg") -> str:
        path = f"{folder}/{next(names):04}.{suffix}"
        draft.files[path] = content
        return path

    def fresh() -> Image:
        return draft.picture(next(names))

    # copies: byte for byte beside it, smaller in another split, and under another label
    exact = jpeg(fresh())
    draft.plant("ME712", add(exact), add(exact))
    picture = fresh()
    smaller = jpeg(cv2.resize(picture, None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA), 70)
    draft.plant("ME713", add(smaller, "test/happiness"), add(jpeg(picture)))
    picture = fresh()
    pair = (add(jpeg(picture, 60), "train/fear"), add(jpeg(picture), "train/surprise"))
    draft.plant("ME712", *pair)
    draft.plant("ME715", *pair)

    # what is to be seen
    for _ in range(2):
        draft.plant("ME710", add(jpeg(no_face(next(names), draft.seed))))
    pair_of_faces = add(jpeg(two_faces(next(names), draft.seed)))
    draft.plant("ME711", pair_of_faces)
    draft.plant("ME742", pair_of_faces)  # twice as wide as high

    # files: cut off, empty, no image, another format than the name says, in the wrong folder
    whole = jpeg(fresh())
    draft.plant("ME702", add(whole[: len(whole) // 2]))
    draft.plant("ME702", add(b""))
    draft.plant("ME702", add(b"<html>404 Not Found</html>\n"))
    draft.plant("ME708", add(cv2.imencode(".png", fresh())[1].tobytes()))
    draft.plant("ME703", add(jpeg(fresh()), "train/happynes"))
    draft.plant("ME706", add(jpeg(fresh()), "train/happiness/more"))

    # what a JPEG or PNG of 8 bits in RGB cannot hold
    odd = [add(content, suffix=suffix) for content, suffix in _odd_formats([fresh() for _ in range(5)])]
    for path in odd:
        draft.plant("ME709", path)
    draft.plant("ME744", odd[1])  # of 16 bits, and grey

    # quality
    draft.plant("ME716", add(jpeg(cv2.GaussianBlur(face_picture(_BLURRED, _CHOSEN), (0, 0), 1.6))))
    dark = add(jpeg((face_picture(_DARK, _CHOSEN) * 0.16).astype(np.uint8)))
    draft.plant("ME717", dark)
    small = face_picture(_SMALL, _CHOSEN)
    draft.plant("ME718", add(jpeg(cv2.resize(small, (38, 38), interpolation=cv2.INTER_AREA))))
    covered = face_picture(_COVERED, _CHOSEN)
    cv2.ellipse(covered, *_COVER, 0, 0, 360, (120, 150, 190), -1)
    draft.plant("ME719", add(jpeg(covered)))


def _odd_formats(pictures: list[Image]) -> list[tuple[bytes, str]]:
    cmyk, deep, layered, moving, turned = (Pillow.fromarray(picture[:, :, ::-1]) for picture in pictures)
    grey = np.asarray(deep.convert("L"), np.uint16) * 257
    alpha = Pillow.new("L", layered.size, 255)
    alpha.paste(0, (0, 0, 20, 20))
    layered.putalpha(alpha)
    exif = Pillow.Exif()
    exif[0x0112] = 6  # the camera was turned: to be shown a quarter turn clockwise
    later = Pillow.fromarray(np.roll(np.asarray(moving), 3, axis=1))
    return [
        (_saved(cmyk.convert("CMYK"), "JPEG", quality=95), "jpg"),
        (_saved(Pillow.fromarray(grey), "PNG"), "png"),
        (_saved(layered, "PNG"), "png"),
        (_saved(moving, "GIF", save_all=True, append_images=[later]), "gif"),
        (_saved(turned.rotate(90, expand=True), "JPEG", quality=95, exif=exif), "jpg"),
    ]


def _saved(image: Pillow.Image, file_format: str, **options: object) -> bytes:
    content = io.BytesIO()
    image.save(content, file_format, **options)
    return content.getvalue()
