"""Sets of face pictures in the form of real ones, with planted defects and the findings they must lead to.

They contain nothing of the real sets: the pictures are those of `synthetic.pictures`, and the labels take turns.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import yaml
from numpy.typing import NDArray

from datasets_me.core import artefact, resources
from datasets_me.core.errors import MeDatasetsError
from datasets_me.formats.kinds import SYNTHETIC
from datasets_me.schema import yaml_files
from datasets_me.synthetic import image_defects
from datasets_me.synthetic.image_draft import ImageSetDraft, Planted
from datasets_me.synthetic.pictures import jpeg, two_faces

Image = NDArray[np.uint8]

LABELS = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
_SPLITS = ("train", "train", "train", "validation", "test")
_STEP_OF_SUBJECTS = 3  # pictures of one person in a set of captures


@dataclass(frozen=True)
class SyntheticImageSet:
    """Where a set was written: ``source`` is what to import, ``schema`` its schema with the counts of this set."""

    source: Path
    schema: Path
    truth: Path
    files: int
    planted: tuple[Planted, ...]


def make(
    shape: str, out: Path, *, images: int = 60, seed: int = 0, defects: bool = False, force: bool = False
) -> SyntheticImageSet:
    """Write a set into a new folder; the same arguments make the same files.

    Args:
        shape: a key of `SHAPES`.
        images: how many pictures without defects; for CK+ a twelfth as many sequences of twelve frames.
        defects: plant one or more of each defect that the set can have.
        force: replace an earlier synthetic set.

    Raises:
        MeDatasetsError: there is no such shape.
        OutputError: the folder exists and may not be replaced.
        WriteError: it cannot be written.
    """
    if shape not in SHAPES:
        raise MeDatasetsError(f"there is no synthetic set '{shape}'", fix=f"choose one of {', '.join(SHAPES)}")
    artefact.may_replace(out, SYNTHETIC, force)
    draft = ImageSetDraft(seed)
    SHAPES[shape](draft, images, defects)
    shipped = resources.folder("schemas") / "images" / f"{shape}.yaml"
    spec = yaml_files.load(yaml_files.read_text(shipped), str(shipped)).value
    if "expected" in spec:
        spec["expected"] = {"images": sum(draft.splits.values()), "splits": draft.splits}
    with artefact.new_folder(out, SYNTHETIC, force=force) as new:
        for path, content in draft.files.items():
            (new.path / "set" / path).parent.mkdir(parents=True, exist_ok=True)
            (new.path / "set" / path).write_bytes(content)
        text = yaml.safe_dump(spec, sort_keys=False, allow_unicode=True)
        (new.path / "schema.yaml").write_text(text, encoding="utf-8")
        truth = json.dumps([asdict(defect) for defect in draft.planted], indent=2)
        (new.path / "truth.json").write_text(f"{truth}\n", encoding="utf-8")
        new.about.update(shape=shape, seed=seed)
    return SyntheticImageSet(
        out / "set", out / "schema.yaml", out / "truth.json", len(draft.files), tuple(draft.planted)
    )


def _places(images: int) -> Iterator[tuple[int, str, str]]:
    """Number, split and label of each picture: labels take turns; of each, a fifth is validation and a fifth test."""
    for number in range(images):
        yield number, _SPLITS[number // len(LABELS) % len(_SPLITS)], LABELS[number % len(LABELS)]


def _folder_per_class(draft: ImageSetDraft, images: int, defects: bool) -> None:
    for number, split, label in _places(images):
        draft.files[f"{split}/{label}/{number:04}.jpg"] = jpeg(draft.picture(number))
    if defects:
        image_defects.plant(draft, images)


def _fer2013(draft: ImageSetDraft, images: int, defects: bool) -> None:
    codes = {label: code for code, label in enumerate(("anger", "disgust", "fear", "happiness", "sadness", "surprise"))}
    codes["neutral"] = 6
    usages = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}
    rows = []

    def add(number: int, split: str, code: int | str) -> str:
        grey = cv2.cvtColor(draft.picture(number, 48), cv2.COLOR_BGR2GRAY)
        rows.append([str(code), " ".join(map(str, grey.ravel().tolist())), usages[split]])
        return f"fer2013.csv#{len(rows) + 1}"

    for number, split, label in _places(images):
        add(number, split, codes[label])
    if defects:
        draft.plant("ME713", "fer2013.csv#2", add(0, "test", codes["anger"]))
        draft.plant("ME703", add(images, "train", 9))
    draft.splits.update({split: sum(row[2] == usage for row in rows) for split, usage in usages.items()})
    if defects:
        draft.plant("ME701", add(images + 1, "train", 0))
        rows[-1][1] = rows[-1][1].rpartition(" ")[0]
        draft.plant("ME701", add(images + 2, "train", 0))
        rows[-1][1] = rows[-1][1].replace(" ", " x", 1)
    lines = ["emotion,pixels,Usage", *(",".join(row) for row in rows)]
    draft.files["fer2013.csv"] = "".join(f"{line}\n" for line in lines).encode()


def _raf_db(draft: ImageSetDraft, images: int, defects: bool) -> None:
    codes = {"surprise": 1, "fear": 2, "disgust": 3, "happiness": 4, "sadness": 5, "anger": 6, "neutral": 7}
    labels, lines = "basic/EmoLabel/list_patition_label.txt", []
    last, width = {"train": 0, "test": 0}, {"train": 5, "test": 4}

    def add(number: int, split: str, label: str) -> str:
        last[split] += 1
        name = f"{split}_{last[split]:0{width[split]}}"
        path = f"basic/Image/aligned/{name}_aligned.jpg"
        draft.files[path] = jpeg(draft.picture(number, 100))
        lines.append(f"{name}.jpg {codes[label]}")
        return path

    for number, split, label in _places(images):
        add(number, "test" if split == "test" else "train", label)
    if defects:
        draft.plant("ME705", add(images, "train", "fear"))
        lines.pop()
        draft.plant("ME704", f"{labels}#{len(lines) + 1}")
        lines.append(f"test_{last['test'] + 1:04}.jpg 3")
        draft.plant("ME701", f"{labels}#{len(lines) + 1}")
        lines.append("nonsense")
    draft.splits.update(last)
    draft.files[labels] = "".join(f"{line}\n" for line in lines).encode()


def _ckplus(draft: ImageSetDraft, images: int, defects: bool) -> None:
    from datasets_me.synthetic.face_video import FaceVideo, FaceVideoOptions

    frames, words = 12, ("1", "3", "4", "5", "6", "7")
    sequences = max(2, images // frames)
    options = FaceVideoOptions(frames=frames, size=(128, 98), face_width=60, micro=0, macro=1, blinks=0)
    for number in range(sequences):
        subject, session = f"S{5 + number // 2:03}", f"{1 + number % 2:03}"
        film = FaceVideo(draft.seed + number, number, options)
        for t in range(frames):
            name = f"{subject}_{session}_{t + 1:08}"
            coded = cv2.imencode(".png", film.frame(t))[1].tobytes()
            draft.files[f"cohn-kanade-images/{subject}/{session}/{name}.png"] = coded
        code = "9" if defects and number == 1 else words[number % len(words)]
        label = f"Emotion/{subject}/{session}/{subject}_{session}_{frames:08}_emotion.txt"
        if defects and number == 0:
            draft.plant("ME705", f"cohn-kanade-images/{subject}/{session}")
            continue
        if defects and number == 1:
            draft.plant("ME703", *(f"cohn-kanade-images/{subject}/{session}/{subject}_{session}_00000001.png",))
        draft.files[label] = f"   {float(code):.7e}\n".encode()
    if defects:
        draft.files["Emotion/S999/001/S999_001_00000012_emotion.txt"] = b"   1.0000000e+00\n"
        draft.plant("ME704", "Emotion/S999/001/S999_001_00000012_emotion.txt#1")


def _gaf3(draft: ImageSetDraft, images: int, defects: bool) -> None:
    for number in range(images):
        split = "val" if number % 3 == 2 else "train"
        label = ("Positive", "Neutral", "Negative")[number // 3 % 3]
        draft.files[f"{split}/{label}/{label[:3].lower()}_{number}.jpg"] = jpeg(two_faces(number, draft.seed))
    if defects:
        draft.files["train/Neutral/neu_9999.jpg"] = b""
        draft.plant("ME702", "train/Neutral/neu_9999.jpg")


def _captures(draft: ImageSetDraft, images: int, defects: bool) -> None:
    for number in range(images):
        subject = f"s{number // _STEP_OF_SUBJECTS + 1:02}"
        light, view = ("bright", "dim")[number % 2], ("front", "left", "right")[number % 3]
        path = f"{subject}/{subject}_{LABELS[number % len(LABELS)]}_{light}_{view}_{number:03}.jpg"
        draft.files[path] = jpeg(draft.picture(number))
    if defects:
        for code, path in (("ME703", "s01/s01_hapiness_bright_front_900.jpg"), ("ME706", "s01/IMG 0123.jpg")):
            draft.files[path] = jpeg(draft.picture(images + len(draft.planted)))
            draft.plant(code, path)


SHAPES: dict[str, Callable[[ImageSetDraft, int, bool], None]] = {
    "folder-per-class": _folder_per_class,
    "fer2013": _fer2013,
    "ckplus": _ckplus,
    "raf-db": _raf_db,
    "gaf3": _gaf3,
    "captures": _captures,
}
"""What adds the files of a set, by the id of its schema."""
