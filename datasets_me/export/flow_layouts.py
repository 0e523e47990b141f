"""The folders in which published recognisers look for their flow images, so that their scripts run as they are.

============  ==========================================================================================================
``ststnet``   ``norm_u_v_os/<subject>/u_train|u_test/<class>/<name>.png``: for each subject a fold that tests it alone.
``htnet``     ``datasets/three_norm_u_v_os`` likewise; ``datasets/STSNet_whole_norm_u_v_os/<name>.png``, all once;
              ``datasets/combined_datasets_whole/<name>.jpg``, the face in the later frame; and
              ``combined_3_class2_for_optical_flow.csv`` with their names and labels.
``meb``       ``<dataset>_uv_frames.npy`` (N, 3, H, W) float32, and ``<dataset>_data_frame.csv`` with its N rows.
``mmnet``     ``datasets/CASME2/Cropped-updated/Cropped/<subject>/<clip>/reg_img<number>.jpg``, all frames from onset to
              offset, and ``datasets/CASME2/CASME2-coding-20190701.xlsx``, the list it reads.
============  ==========================================================================================================

Classes are 0 negative, 1 positive, 2 surprise, as in MEGC 2019.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from datasets_me.core.paths import safe_name, under
from datasets_me.core.workbooks import without_times
from datasets_me.export.expressions import Expression
from datasets_me.export.faces import Picture
from datasets_me.export.flow_presets import Preset
from datasets_me.export.labels import about
from datasets_me.export.sinks import ExportItem
from datasets_me.findings.finding import Finding

CLASSES = ("negative", "positive", "surprise")
"""The classes of STSTNet's and HTNet's folders, by number."""

JPEG_QUALITY = 95


class Layout(Protocol):
    """Takes flow images one by one, and writes what a project reads."""

    findings: list[Finding]

    def add(self, expression: Expression, item: ExportItem, face: Callable[[int], Picture | None]) -> None:
        """Take an expression's flow image; ``face`` gives the face in any of its frames."""

    def finish(self) -> None:
        """Write what could not be written before."""


def open_layout(folder: Path, preset: Preset) -> Layout | None:
    """The layout of a preset; None for one whose project reads arrays."""
    match preset.layout:
        case "ststnet":
            return LosoPictures(folder, "norm_u_v_os", preset.channels)
        case "htnet":
            return HtnetPictures(folder, "datasets/three_norm_u_v_os", preset.channels, name=_htnet_name)
        case "meb":
            return MebArray(folder)
        case "mmnet":
            return MmnetFrames(folder)
    return None


def _plain_name(_: str, name: str) -> str:
    return f"{name}.png"


def _htnet_name(subject: str, name: str) -> str:
    return f"{subject}_{name} .png"  # HTNet's script looks for this space


@dataclass
class LosoPictures:
    """One 8-bit picture for each expression that has a class, in a fold for each subject."""

    folder: Path
    place: str
    channels: str
    name: Callable[[str, str], str] = _plain_name
    findings: list[Finding] = field(default_factory=list)
    pictures: list[tuple[str, int, str, bytes]] = field(default_factory=list)

    def add(self, expression: Expression, item: ExportItem, face: Callable[[int], Picture | None]) -> None:
        """Take the picture of an expression, if it has a class."""
        row = expression.row
        if row.class_3 not in CLASSES:
            what = f"the class '{row.class_3}' is" if row.class_3 else "it has none of the three classes, and so it is"
            message = f"{what} not among the folders of the project: {', '.join(CLASSES)}"
            self.findings.append(about("ME517", message, row, "emotion"))
            return
        image = np.asarray(item["image"], np.float32)
        stored = np.floor(image * 255).astype(np.uint8)  # as an assignment to uint8 rounds in the projects
        colours = stored if self.channels == "rgb" else stored[:, :, ::-1]
        subject, name = safe_name(row.subject), safe_name(row.id.replace(":", "_"))
        picture = self.name(subject, name), _png(colours)
        self.take(expression, item, *picture)
        self.pictures.append((subject, CLASSES.index(row.class_3), *picture))

    def take(self, expression: Expression, item: ExportItem, name: str, content: bytes) -> None:
        """What else is written of a picture."""

    def finish(self) -> None:
        """Write the folds."""
        for tested in sorted({subject for subject, *_ in self.pictures}):
            fold = self.folder / self.place / tested
            for part in ("u_train", "u_test"):
                for number in range(len(CLASSES)):
                    (fold / part / str(number)).mkdir(parents=True)
            for subject, number, name, content in self.pictures:
                part = "u_test" if subject == tested else "u_train"
                (fold / part / str(number) / name).write_bytes(content)


@dataclass
class HtnetPictures(LosoPictures):
    """The same, with all pictures in one folder, the later frames, and the list of both."""

    rows: list[list[str]] = field(default_factory=list)

    def take(self, expression: Expression, item: ExportItem, name: str, content: bytes) -> None:
        """Write the picture and the later face, and take the row of the list."""
        row = expression.row
        _write(self.folder, f"datasets/STSNet_whole_norm_u_v_os/{name}", content)
        shown = name.removesuffix(" .png") + ".jpg"
        _write(self.folder, f"datasets/combined_datasets_whole/{shown}", _jpeg(np.asarray(item["to_frame"], np.uint8)))
        subject, clip = safe_name(row.subject), safe_name(row.id.replace(":", "_"))
        label = str(CLASSES.index(row.class_3 or ""))
        self.rows.append([row.dataset, subject, clip, label, str(np.asarray(item["frames"])[1]), shown, ""])

    def finish(self) -> None:
        """Write the folds and the list."""
        super().finish()
        header = ["dataset", "sub", "filename_o", "label", "apex", "imagename", "sub_filename"]
        _write_csv(self.folder / "combined_3_class2_for_optical_flow.csv", [header, *self.rows])


@dataclass
class MebArray:
    """All images of a dataset as one array, and the rows of its data frame in the same order."""

    folder: Path
    findings: list[Finding] = field(default_factory=list)
    images: list[NDArray[np.float32]] = field(default_factory=list)
    rows: list[dict[str, object]] = field(default_factory=list)

    def add(self, expression: Expression, item: ExportItem, face: Callable[[int], Picture | None]) -> None:
        """Take an image and its row."""
        row = expression.row
        self.images.append(np.asarray(item["image"], np.float32).transpose(2, 0, 1))
        onset, target = (int(frame) for frame in np.asarray(item["frames"]))
        fields: dict[str, object] = {
            "subject": row.subject,
            "material": row.expression or row.video,
            "onset": onset,
            "apex": target,
            "apexf": target - onset,
            "offset": expression.offset,
            "n_frames": expression.offset - onset + 1,
            "emotion": row.emotion or "",
            "dataset": row.dataset,
            "AU": row.au_raw or "",
        }
        self.rows.append(fields | {f"AU{unit.au}": 1 for unit in row.aus})

    def finish(self) -> None:
        """Write the array and its rows."""
        if not self.rows:
            return
        dataset = safe_name(str(self.rows[0]["dataset"]))
        np.save(self.folder / f"{dataset}_uv_frames.npy", np.stack(self.images))
        units = sorted({name for row in self.rows for name in row if re.fullmatch(r"AU\d+", name)}, key=_unit)
        plain = [name for name in self.rows[0] if name not in units]
        lines = [[str(row.get(name, 0)) for name in (*plain, *units)] for row in self.rows]
        _write_csv(self.folder / f"{dataset}_data_frame.csv", [[*plain, *units], *lines])


def _unit(name: str) -> int:
    return int(name.removeprefix("AU"))


@dataclass
class MmnetFrames:
    """The faces of all frames from onset to offset, which MMNet draws from, and the workbook that lists them."""

    folder: Path
    findings: list[Finding] = field(default_factory=list)
    rows: list[list[str | int | None]] = field(default_factory=list)

    def add(self, expression: Expression, item: ExportItem, face: Callable[[int], Picture | None]) -> None:
        """Write the faces of an expression, and take its row."""
        row = expression.row
        digits = re.findall(r"\d+", row.subject)
        subject = str(int(digits[-1])) if digits else row.subject  # its folds name subjects so: '1' for sub01
        clip = safe_name(row.expression or row.id.replace(":", "_"))
        onset, target = (int(frame) for frame in np.asarray(item["frames"]))
        for number in range(expression.onset, expression.offset + 1):
            picture = face(number)
            if picture is not None:
                name = f"{safe_name(subject)}/{clip}/reg_img{number + 1}.jpg"
                _write(self.folder, f"datasets/CASME2/Cropped-updated/Cropped/{name}", _jpeg(picture))
        units = sorted({unit.au for unit in row.aus})
        numbers = [onset + 1, target + 1, expression.offset + 1]
        # an empty text would be read as a number that is none
        self.rows.append([subject, clip, None, *numbers, None, "+".join(map(str, units)) or "0", row.emotion or "-"])

    def finish(self) -> None:
        """Write the workbook."""
        import openpyxl

        book = openpyxl.Workbook()
        sheet = book.worksheets[0]
        numbers = ["OnsetFrame", "ApexFrame", "OffsetFrame"]
        header: list[str | int | None] = ["Subject", "Filename", None, *numbers, None]
        header += ["Action Units", "Estimated Emotion"]
        for row in (header, *self.rows):
            sheet.append(row)
        content = io.BytesIO()
        book.save(content)
        _write(self.folder, "datasets/CASME2/CASME2-coding-20190701.xlsx", without_times(content.getvalue()))


def _png(picture: NDArray[np.uint8]) -> bytes:
    return _encoded(picture, "PNG")


def _jpeg(picture: NDArray[np.uint8]) -> bytes:
    return _encoded(picture, "JPEG", quality=JPEG_QUALITY)


def _encoded(picture: NDArray[np.uint8], image_format: str, **options: int) -> bytes:
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(content, image_format, **options)
    return content.getvalue()


def _write(folder: Path, name: str, content: bytes) -> None:
    place = under(folder, name)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)


def _write_csv(path: Path, rows: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")
