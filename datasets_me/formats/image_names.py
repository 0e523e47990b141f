"""What images are called: the names that this tool gives to copies, and which image of a set somebody's name means."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from datasets_me.core.errors import ImagesError
from datasets_me.core.paths import safe_name
from datasets_me.core.pictures import suffix_fits
from datasets_me.core.tables import batches
from datasets_me.formats import image_set
from datasets_me.formats.image_records import PIXELS, ExportRow, ImageRow, Origin
from datasets_me.formats.image_set import PLACE, ImageSet
from datasets_me.formats.kinds import IMAGE_EXPORT, IMAGE_SET

EXPORTED = "export.parquet"
"""The table that an export of images leaves: which image each file is a copy of."""

_SUFFIX = {"jpeg": "jpg", "tiff": "tif", "mpo": "jpg", PIXELS: "png"}


def exported_name(number: int, path: str | None, format: str | None) -> str:
    """What an export calls the copy of an image: ``000017_face.jpg``, with the suffix that its content asks for.

    No other image of the set has this name, and it never is a path.

    Args:
        number: the image's place in the set, from 0.
        path: where the image lies; None for pixels that stood in a table.
        format: that of the content.
    """
    stem, dot, suffix = (path or "").rpartition("/")[2].rpartition(".")
    kind = format or PIXELS
    if not suffix_fits(f"{dot}{suffix}", kind):
        suffix = _SUFFIX.get(kind, kind)
    return f"{number:06d}{'_' + safe_name(stem) if stem else ''}.{safe_name(suffix)}"


def copies_of(images: ImageSet, folders: Iterable[Path]) -> dict[str, list[str]]:
    """What the copies of a set's images are called, by id: of sets that were made from it, and of exports.

    Raises:
        ImagesError: a folder holds neither, or was made from another set.
    """
    copies: dict[str, list[str]] = defaultdict(list)
    for folder in folders:
        names: Iterable[tuple[str, str, str | None]]
        if (folder / EXPORTED).is_file():
            names = ((row.dataset, row.id, row.file) for rows in batches(folder / EXPORTED, ExportRow) for row in rows)
        elif (folder / IMAGE_SET.about).is_file():
            names = ((row.dataset, row.id, row.path) for row in image_set.read(folder).rows(pixels=False))
        else:
            raise ImagesError(
                "the folder holds no copies of images",
                where=str(folder),
                fix="give a folder that images unify, crop or export wrote",
            )
        for dataset, name, path in names:
            if dataset != images.dataset:
                raise ImagesError(
                    f"the copies are of {dataset}, not of {images.dataset}",
                    where=str(folder),
                    fix="give a folder that was made from this set",
                )
            if path:
                copies[name].append(path)
    return copies


def origins_of(root: Path) -> dict[str, list[Origin]]:
    """What the files under a folder were made from, by path, where the folder is an export of a set of images.

    Raises:
        MeDatasetsError: the table of the export is damaged.
    """
    if not ((root / EXPORTED).is_file() and (root / IMAGE_EXPORT.about).is_file()):
        return {}
    return {
        row.file: [Origin(dataset=row.dataset, id=row.id, path=row.path, sha256=row.sha256, done="exported")]
        for rows in batches(root / EXPORTED, ExportRow)
        for row in rows
        if row.file is not None
    }


class Names:
    """Finds images by what somebody called them: a name of theirs, a path that ends with one, or the end of one.

    The names of an image are its id and its path; those of the images it was made from; the one that an export gives
    its copy; and those of copies that are given. So ``/data/train/happy/17.jpg`` (with slashes of either kind),
    ``happy/17.jpg`` and ``17.jpg`` mean ``train/happy/17.jpg``, if no other image can be meant. ``sad/17.jpg`` does
    not, though the file is called the same.

    Args:
        rows: the images of the set, in order.
        copies: further names of images, by id, as `copies_of` finds them.
    """

    def __init__(self, rows: Iterable[ImageRow] = (), copies: Mapping[str, Sequence[str]] | None = None) -> None:
        self._count = 0
        self._copies = copies or {}
        self._exact: dict[str, list[int]] = defaultdict(list)
        self._last: dict[str, list[tuple[int, list[str]]]] = defaultdict(list)
        for row in rows:
            self.add(row)

    def add(self, row: ImageRow) -> None:
        """Take the next image of the set."""
        paths = [path for path in (row.path, *(origin.path for origin in row.origins)) if path]
        paths += self._copies.get(row.id, [])
        # whoever works in the folder of the files leaves its own name out
        names = {row.id, *(origin.id for origin in row.origins), *paths}
        names |= {path.removeprefix(f"{PLACE}/") for path in paths}
        for name in names:
            self._exact[name].append(self._count)
        for name in (*names, exported_name(self._count, row.path, row.format)):
            parts = _parts(name)
            self._last[parts[-1]].append((self._count, parts))
        self._count += 1

    def find(self, name: str) -> list[int]:
        """Positions of the images that the name may mean; one, if all is well."""
        if name in self._exact:
            return list(self._exact[name])
        parts = _parts(name)
        fits: dict[int, int] = {}
        for position, own in self._last.get(parts[-1], []):
            shared = _shared(parts, own)
            if shared == min(len(parts), len(own)):
                fits[position] = max(shared, fits.get(position, 0))
        return [position for position, shared in fits.items() if shared == max(fits.values())]


def _parts(name: str) -> list[str]:
    return [part.casefold() for part in name.replace("\\", "/").split("/") if part not in ("", ".")] or [""]


def _shared(one: list[str], other: list[str]) -> int:
    count = 0
    for a, b in zip(reversed(one), reversed(other), strict=False):
        if a != b:
            break
        count += 1
    return count
