"""Every verb that writes, on the smallest input that makes it write all it can write."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from datasets_me.convert.convert import convert
from datasets_me.folders.check import with_folders
from datasets_me.formats import manifest as manifests
from datasets_me.formats.manifest import Manifest
from datasets_me.images.importing import import_images
from datasets_me.schema import image_schemas, schema_files, yaml_files
from datasets_me.schema.schema_files import Schema
from datasets_me.synthetic import image_sets
from datasets_me.synthetic.film import Film
from datasets_me.synthetic.write import make


@dataclass(frozen=True)
class Verb:
    """A command line, run in a folder that holds the inputs, and where it writes.

    ``outputs`` are what must be whole afterwards: as it was before, or as a run that nobody ends leaves it. ``resumes``
    says that the verb goes on where a killed run ended, so that its folder is judged after the next run only.
    ``again`` is what the next run is told besides; ``twice`` says that an earlier output is there before.
    ``copies`` are the inputs that the verb writes into.
    """

    name: str
    arguments: tuple[str, ...]
    outputs: tuple[str, ...]
    resumes: bool = False
    again: tuple[str, ...] = ()
    twice: bool = False
    copies: tuple[str, ...] = ()


def _new(name: str, *arguments: str, out: str = "out") -> list[Verb]:
    """A verb that makes something new, and the same in the place of an earlier output."""
    forced = (*arguments, "--force")
    return [
        Verb(name, arguments, (out,), again=("--force",)),
        Verb(f"{name} --force", forced, (out,), twice=True),
    ]


def _table(name: str) -> list[Verb]:
    """A verb of images that puts a table beside a set."""
    arguments = ("images", name, "images", "--root", "pictures/set")
    outputs, copies = (f"images/{name}.parquet",), ("images",)
    return [
        Verb(f"images {name}", arguments, outputs, again=("--force",), copies=copies),
        Verb(f"images {name} --force", (*arguments, "--force"), outputs, twice=True, copies=copies),
    ]


VERBS: list[Verb] = [
    *_new("synth", "synth", "casme2", "out", "--subjects", "1"),
    *_new("convert", "convert", "raw/schema.yaml", "raw", "--root", "raw/frames", "-o", "out"),
    *_new("check", "check", "manifest", "--root", "raw/frames", "--format", "json", "-o", "out.json", out="out.json"),
    Verb(
        "extract",
        (
            "extract",
            "manifest",
            "--root",
            "raw/frames",
            "-o",
            "out",
            "--preset",
            "farneback",
            "--workers",
            "1",
            "--faces",
            "boxes",
            "--boxes",
            "boxes.csv",
        ),
        ("out",),
        resumes=True,
    ),
    *_new("split", "split", "manifest", "-o", "out", "--protocol", "holdout"),
    *_new("stats", "stats", "manifest", "features", "-o", "out.txt", out="out.txt"),
    *_new("graph", "graph", "manifest", "-o", "out.npy", out="out.npy"),
    *_new("card", "card", "manifest", "-o", "out"),
    *_new("export segments", "export", "segments", "manifest", "features", "-o", "out"),
    *_new("export clips", "export", "clips", "manifest", "--root", "raw/frames", "-o", "out", "--size", "32"),
    Verb(
        "export flow",
        (
            *("export", "flow", "manifest", "--root", "raw/frames", "-o", "out", "--layout", "cropped"),
            *("--flow", "dis", "--size", "16", "--preset", "ststnet", "--workers", "1"),
        ),
        ("out",),
        resumes=True,
        again=("--force",),
    ),
    *_new("export auwgcn", "export", "auwgcn", "manifest", "features", "-o", "out"),
    *_new("export auwgcn-csv", "export", "auwgcn-csv", "manifest", "-o", "out.csv", out="out.csv"),
    *_new("score spotting", "score", "spotting", "manifest", "-p", "spotted.csv", "-o", "out"),
    *_new("images synth", "images", "synth", "folder-per-class", "out", "--images", "7"),
    *_new("images import", "images", "import", "pictures/set", "--schema", "pictures/schema.yaml", "-o", "out"),
    *_new("images unify", "images", "unify", "images", "--root", "pictures/set", "-o", "out", "--size", "16"),
    *_new("images export", "images", "export", "images", "--root", "pictures/set", "-o", "out"),
    *_table("quality"),
    *_table("duplicates"),
    Verb(
        "prepare",
        (
            "prepare",
            "filmed/schema.yaml",
            "filmed",
            "--root",
            "filmed/frames",
            "-o",
            "out",
            "--workers",
            "1",
            "--preset",
            "farneback",
        ),
        ("out",),
        resumes=True,
    ),
    Verb(
        "relocate",
        ("relocate", "misplaced/manifest", "--root", "misplaced/frames", "--apply"),
        ("misplaced",),
        resumes=True,
        copies=("misplaced",),
    ),
]


def build(folder: Path) -> None:
    """Write the inputs of all verbs into a new folder."""
    manifest = _dataset("casme-sq", folder / "raw", ())
    make(_two_videos(), folder / "filmed", subjects=2, film=Film(size=(160, 120), head_motion=0.2))
    manifests.write(manifest, folder / "manifest")
    rng = np.random.default_rng(0)
    spotted = ["subject,video,onset,offset,type"]
    boxes = ["video,x0,y0,x1,y1"]
    for row in manifest.annotations:
        path = folder / "features" / row.subject / f"{row.video}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        frames = next(video.frames for video in manifest.videos if video.video == row.video)
        np.save(path, rng.normal(size=((frames or 2) - 1, 12, 2)).astype(np.float32))
        spotted.append(f"{row.subject},{row.video},{row.onset},{(row.onset or 0) + 9},{row.type}")
        boxes.append(f"{row.video},4,4,40,40")
    (folder / "spotted.csv").write_text("\n".join(spotted) + "\n")
    (folder / "boxes.csv").write_text("\n".join(dict.fromkeys(boxes)) + "\n")
    misplaced = _dataset("casme-sq", folder / "misplaced", ("ME202",))
    manifests.write(misplaced, folder / "misplaced" / "manifest")
    pictures = image_sets.make("folder-per-class", folder / "pictures", images=7)
    import_images(image_schemas.load_file(pictures.schema), pictures.source, folder / "images", workers=1)


def _two_videos() -> Schema:
    """CAS(ME)² with one video of each synthetic subject."""
    spec = yaml_files.load(schema_files.load("casme-sq").text, "casme-sq").value
    spec["synthetic"]["clips"] = spec["synthetic"]["clips"][:2]  # the last is for folders without annotation
    return schema_files.parse(yaml.safe_dump(spec, allow_unicode=True), "two-videos.yaml")


def _dataset(name: str, folder: Path, defects: tuple[str, ...]) -> Manifest:
    dataset = make(schema_files.load(name), folder, subjects=2, defects=defects)
    schema = schema_files.load_file(dataset.schema)
    return with_folders(convert(schema, dataset.workbook).manifest(), dataset.root)
