"""Finding the annotation file that a user means."""

from __future__ import annotations

import fnmatch
import os
from pathlib import Path

from datasets_me.convert.variants import fits
from datasets_me.convert.workbook import FILE_KINDS, read_book
from datasets_me.core.errors import WorkbookError
from datasets_me.core.files import check_root
from datasets_me.schema.spec import Spec

_SUFFIXES = (*(f".{kind}" for kind in FILE_KINDS), ".xlsm", ".xlsb", ".ods")  # the last two only to say what they are
_DEPTH = 3  # levels of folders; workbooks are beside the frames, not among them


def find_source(spec: Spec, source: str, root: Path | None) -> Path:
    """The workbook that ``source`` names: a file, a folder to search, or a bare ``xlsx``, ``xls`` or ``csv``.

    A bare kind is searched for under the root, or under the current folder if there is no root.

    Raises:
        WorkbookError: there is none that fits, or several.
        FolderError: the root is not a folder.
    """
    path = Path(source)
    if source.casefold() in FILE_KINDS and not path.exists():
        folder = root or Path()
        check_root(folder, fix="give the folder that holds the workbook")
        return _search(spec, folder, (source.casefold(),))
    if path.is_dir():
        return _search(spec, path, FILE_KINDS)
    if not path.exists() and root is not None and (root / path).exists():
        return root / path
    return path


def _search(spec: Spec, folder: Path, kinds: tuple[str, ...]) -> Path:
    candidates = _candidates(folder)
    fitting: dict[Path, str] = {}
    faults: list[str] = []
    for path in candidates:
        try:
            book = read_book(path)
        except WorkbookError as error:
            faults.append(f"{path.name}: {error.what}{f'; {error.fix}' if error.fix else ''}")
            continue
        if book.kind in kinds and fits(spec, book):
            fitting[path] = book.kind
    # A CSV beside a workbook is an export or a copy of it; of several files, those named like the published one count.
    workbooks = [path for path, kind in fitting.items() if kind != "csv"] or list(fitting)
    chosen = [path for path in workbooks if _named(spec, path)] or workbooks
    if len(chosen) == 1:
        return chosen[0]
    if chosen:
        raise WorkbookError(
            f"there are several workbooks of {spec.id} under the folder:",
            details=[str(path) for path in chosen],
            where=str(folder),
            fix="give the path of the one you mean",
        )
    looked = ", ".join(path.name for path in candidates[:10]) or "none"
    raise WorkbookError(
        f"no {' or '.join('.' + kind for kind in kinds)} file under the folder is a workbook of {spec.id}"
        f" (files seen: {looked})",
        details=faults[:10],
        where=str(folder),
        fix="give the path of the workbook",
    )


def _candidates(folder: Path) -> list[Path]:
    paths: list[Path] = []
    for place, folders, files in os.walk(folder):
        if len(Path(place).relative_to(folder).parts) >= _DEPTH:
            folders.clear()
        folders.sort()
        paths += [
            Path(place, name)
            for name in sorted(files)
            if name.casefold().endswith(_SUFFIXES) and not name.startswith(("~$", "._", "."))
        ]
    return [path for path in paths if path.is_file()]


def _named(spec: Spec, path: Path) -> bool:
    name = path.stem.casefold()
    return any(fnmatch.fnmatchcase(name, pattern.casefold().replace("[", "[[]")) for pattern in spec.workbook.files)
