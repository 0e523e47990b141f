"""The small sound inputs that attacks begin with, and the folder one attack is played in.

::

    in/        copies of the sound inputs it needs, damaged
    out/       where the verb may write, and nothing else but what it was told to
    victim/    somebody else's: never read, never changed
    tmp/       the temporary folder of the verb
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import openpyxl

from datasets_me.core.tables import write_parquet
from datasets_me.formats import manifest as manifests
from datasets_me.formats.decisions import Decision, about_row, append, correct
from datasets_me.formats.records import VideoFeatures

VIDEOS = ("15_0401girlcrashing", "15_0502funnyerrors", "16_0401girlcrashing", "16_0502funnyerrors")
MISPLACED = "16_0505funnyinnovations"
"""A folder that lies under ``s15`` and belongs under ``s16``."""

FRAMES = 24
SIZE = (48, 36)  # px

Command = Callable[..., int]
"""Runs the command line; returns its exit code."""


class World:
    """The folder of one attack."""

    def __init__(self, place: Path, base: Path) -> None:
        self.place, self.base = place, base
        self._taken: set[str] = set()
        for name in ("in", "out", "tmp"):
            (place / name).mkdir(parents=True)
        shutil.copytree(base / "victim", self.victim)

    @property
    def inputs(self) -> Path:
        return self.place / "in"

    @property
    def out(self) -> Path:
        return self.place / "out"

    @property
    def tmp(self) -> Path:
        return self.place / "tmp"

    @property
    def victim(self) -> Path:
        return self.place / "victim"

    def take(self, name: str) -> Path:
        """A copy of one of the sound inputs, ``manifest`` or ``split/split.json``, that may be damaged."""
        top, _, rest = name.partition("/")
        if top not in self._taken and not os.path.lexists(self.inputs / top):
            self._taken.add(top)
            if (self.base / top).is_dir():
                shutil.copytree(self.base / top, self.inputs / top)
            else:
                shutil.copyfile(self.base / top, self.inputs / top)
        return self.inputs / top / rest if rest else self.inputs / top


def build(base: Path, run: Command) -> None:
    """Make the sound inputs, as a user would.

    Raises:
        RuntimeError: a verb that has to work does not.
    """
    _Builder(base, run).build()


class _Builder:
    def __init__(self, base: Path, run: Command) -> None:
        self.base, self._run = base, run

    def run(self, line: str) -> None:
        code = self._run(*(part.format(base=self.base) for part in line.split()))
        if code not in (0, 1):
            raise RuntimeError(f"exit code {code} of a sound input: me-datasets {line}")

    def build(self) -> None:
        _victim(self.base / "victim")
        _frames(self.base / "frames")
        _workbook(self.base / "book.xlsx")
        self.run("convert casme-sq {base}/book.xlsx --root {base}/frames -o {base}/manifest")
        shutil.copyfile(self.base / "manifest" / "schema.yaml", self.base / "schema.yaml")
        self._decisions()
        self._features()
        self.run("split {base}/manifest -o {base}/split")
        self.run("export segments {base}/manifest {base}/features -o {base}/segments --length 16 --context 2")
        self.run("export clips {base}/manifest --root {base}/frames -o {base}/clips --size 16 --frames key")
        self._predictions()
        self._images()

    @cached_property
    def manifest(self) -> manifests.Manifest:
        return manifests.read(self.base / "manifest")

    def _decisions(self) -> None:
        rows = self.manifest.annotations[:3]
        about = [about_row(self.manifest, row) for row in rows]
        corrected = correct(self.manifest, rows[0], "offset", (rows[0].offset or 0) + 1, note="seen")
        left_out = Decision(action="exclude", **about[1])
        undone = Decision(action="accept", **about[2])
        undo = Decision(action="undo", dataset="casme-sq", undoes=undone.id)
        append(self.base / "decisions", [corrected, left_out, undone, undo])

    def _features(self) -> None:
        folder, noise = self.base / "features", np.random.default_rng(0)
        rows = []
        for video in self.manifest.videos:
            subject, name = video.subject or "", video.video
            files = {"features": f"features/{subject}/{name}.npy", "landmarks": f"landmarks/{subject}/{name}.npz"}
            for file in files.values():
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
            np.save(folder / files["features"], noise.normal(0, 1, (FRAMES - 1, 12, 2)).astype(np.float32))
            points = noise.uniform(5, 30, (1, 68, 2)) + noise.normal(0, 0.1, (FRAMES, 68, 2))
            np.savez_compressed(
                folder / files["landmarks"], landmarks=points.astype(np.float32), quality=np.zeros(FRAMES, np.uint8)
            )
            rows.append(
                VideoFeatures(
                    dataset="casme-sq",
                    subject=subject,
                    video=name,
                    layout=video.layout,
                    path=video.path,
                    name=name,
                    status="ok",
                    frames=FRAMES,
                    fps=30.0,
                    good=FRAMES,
                    width=SIZE[0],
                    height=SIZE[1],
                    box=[4, 2, 40, 34],
                    key="k" * 64,
                    **files,
                )
            )
        write_parquet(VideoFeatures, rows, folder / "features.parquet")

    def _predictions(self) -> None:
        rows, noise = self.manifest.annotations, np.random.default_rng(1)
        spotted = ["video,onset,offset,type", *(f"{row.video},{row.onset},{row.offset},{row.type}" for row in rows)]
        (self.base / "spotted.csv").write_text("\n".join(spotted) + "\n")
        recognised = ["annotation,label", *(f"{row.id},negative" for row in rows)]
        (self.base / "recognised.csv").write_text("\n".join(recognised) + "\n")
        for name in ("model_a.npz", "model_b.npz"):
            np.savez(
                self.base / name,
                annotation=np.array([row.id for row in rows]),
                part=np.array(["validation", "test"] * (len(rows) // 2)),
                scores=noise.dirichlet((1, 1, 1), len(rows)),
                classes=np.array(["negative", "positive", "surprise"]),
            )

    def _images(self) -> None:
        pictures = self.base / "pictures"
        for number in range(12):
            path = pictures / ("anger", "happiness", "sadness")[number % 3] / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), picture(number))
        self.run("images import {base}/pictures --schema folder-per-class -o {base}/set --workers 1")
        self.run("images quality {base}/set --root {base}/pictures --workers 1")
        self.run("images duplicates {base}/set --root {base}/pictures --workers 1")
        said = {f"{path.parent.name}/{path.name}": path.parent.name for path in sorted(pictures.glob("*/*.png"))}
        (self.base / "said.json").write_text(json.dumps([{"image": name, "label": said[name]} for name in said]))
        lines = ["image,label", *(f"{name},{label}" for name, label in said.items())]
        (self.base / "said.csv").write_text("\n".join(lines) + "\n")


def picture(seed: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """A picture (H, W, 3) of soft blotches; another seed, another picture."""
    noise = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    return np.asarray(cv2.resize(noise, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def rows_of(clips: tuple[str, ...] = ("anger1", "happy1")) -> list[list[Any]]:
    """Rows of CAS(ME)²'s first sheet that fit the frames: two subjects, two videos each, macro and micro."""
    rows: list[list[Any]] = []
    for participant in (1, 2):
        for clip in clips:
            kind = "macro-expression" if clip == "anger1" else "micro-expression"
            rows.append([participant, f"{clip}_1", 3, 6, 10, "4+7", "negative", kind, "anger"])
            rows.append([participant, f"{clip}_2", 12, 15, 20, "L12", "positive", kind, "happiness"])
    return rows


def sheets_of(rows: list[list[Any]]) -> list[list[list[Any]]]:
    """The three sheets of CAS(ME)²'s workbook."""
    return [rows, [[15, "s15", 1], [16, "s16", 2]], [["0401", "anger1"], ["0502", "happy1"], ["0505", "happy3"]]]


def _workbook(path: Path) -> None:
    book = openpyxl.Workbook()
    for number, rows in enumerate(sheets_of(rows_of())):
        sheet = book.worksheets[0] if number == 0 else book.create_sheet(f"naming rule{number}")
        for row in rows:
            sheet.append(row)
    book.save(path)


def _frames(root: Path) -> None:
    folders = [f"s{video[:2]}/{video}" for video in VIDEOS] + [f"s15/{MISPLACED}"]
    for seed, folder in enumerate(folders):
        place = root / "rawpic" / folder
        place.mkdir(parents=True)
        still = picture(seed)
        for number in range(1, FRAMES + 1):
            cv2.imwrite(str(place / f"img{number:03}.jpg"), np.roll(still, number, axis=1))


def _victim(folder: Path) -> None:
    (folder / "frames").mkdir(parents=True)
    (folder / "keep.txt").write_text("somebody else's\n")
    (folder / "empty").mkdir()
    for number in range(1, 4):
        cv2.imwrite(str(folder / "frames" / f"img{number:03}.jpg"), picture(99))
    cv2.imwrite(str(folder / "private.png"), picture(98))
    np.save(folder / "private.npy", np.zeros((FRAMES - 1, 12, 2), np.float32))
    np.savez(folder / "private.npz", landmarks=np.zeros((FRAMES, 68, 2), np.float32), quality=np.zeros(FRAMES, "u1"))
    (folder / "private.json").write_text('{"folds": {}}\n')
