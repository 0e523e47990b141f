"""Inventory and check over a tree of many (empty) files, beside ``find -type f | wc -l`` on the same tree.

python benchmarks/inventory.py [FILES ...]
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from measure import PROGRAM, measure

from datasets_me.convert.convert import convert
from datasets_me.formats import manifest
from datasets_me.schema import naming, schema_files
from datasets_me.schema.naming import Template
from datasets_me.synthetic.write import make


def grow(root: Path, files: int) -> int:
    """Whole videos of CAS(ME)² in its raw layout, ``files`` empty frames in all; returns the number of folders."""
    spec = schema_files.load("casme-sq").spec
    codes = list(spec.names.lookups["code"].values.values())
    people = list(spec.names.lookups["folder"].values.values())
    videos = [(person, code) for person in people for code in codes]
    for index, (person, code) in enumerate(videos):
        values = naming.derive(spec.names, {"folder": person, "code": code})
        folder = root / "rawpic" / Template(spec.layout("rawpic").folder).render(values)
        folder.mkdir(parents=True)
        for number in range(1, files // len(videos) + (index < files % len(videos)) + 1):
            (folder / f"img{number:03}.jpg").touch()
    return len(videos)


def main() -> None:
    """Print the tables."""
    for files in map(int, sys.argv[1:] or ("250000", "1000000")):
        with tempfile.TemporaryDirectory() as name:
            table(Path(name), files)


def table(folder: Path, files: int) -> None:
    """Print how long a tree of so many files takes."""
    made = make(schema_files.load("casme-sq"), folder / "set", subjects=22)
    manifest.write(convert(schema_files.load("casme-sq"), made.workbook).manifest(), folder / "m")
    folders = grow(folder / "tree", files)
    print(f"{files:,} files in {folders} folders; whole processes, median of 5, warm cache\n")
    find = measure(["sh", "-c", "find tree -type f | wc -l"], folder)
    convert_root = [*PROGRAM, "convert", "casme-sq", made.workbook, "--root", "tree", "-o", "n", "--force"]
    print("| | seconds | ratio | peak MB |\n| --- | ---: | ---: | ---: |")
    print(f"| find -type f \\| wc -l | {find.seconds:.2f} | 1.0 | {find.megabytes:.0f} |")
    first = next((folder / "tree" / "rawpic").rglob("*.jpg")).parent
    shutil.copytree(first, folder / "one" / first.relative_to(folder / "tree"))
    for title, command in (
        ("convert --root (inventory)", convert_root),
        ("check", [*PROGRAM, "check", "m", "--root", "tree"]),
        ("check of one of the folders: start-up, manifest and report", [*PROGRAM, "check", "m", "--root", "one"]),
    ):
        measured = measure(command, folder, fine=(0, 1))
        ratio = measured.seconds / find.seconds
        print(f"| me-datasets {title} | {measured.seconds:.2f} | {ratio:.1f} | {measured.megabytes:.0f} |")
    print()


if __name__ == "__main__":
    main()
