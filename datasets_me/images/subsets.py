"""Which of several sets that are delivered together is imported, and which files are those of the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from datasets_me.core.errors import ImagesError
from datasets_me.schema.images import ImageSpec


def choose(spec: ImageSpec, wanted: str | None, root: Path, paths: Sequence[str]) -> str | None:
    """The name of the subset to import; None for a schema without subsets.

    Args:
        spec: the schema.
        wanted: the subset that the user named.
        root: the folder that is imported.
        paths: of the files under it.

    Raises:
        ImagesError: there is no such subset; or none was asked for, and the folders do not say which one it is.
    """
    if wanted is not None and wanted not in spec.subsets:
        known = f"it has {' and '.join(spec.subsets)}" if spec.subsets else "leave --subset out"
        raise ImagesError(f"the schema {spec.id} has no subset '{wanted}'", fix=known)
    if not spec.subsets:
        return None
    present = sorted({name for path in paths if (name := subset_of(spec, path)) is not None})
    if not present:  # the source may be the folder of a subset itself, or lie in it
        above = (subset_of(spec, f"{part}/x") for part in reversed(root.resolve().parts))
        present = [name for name in above if name is not None][:1]
    if wanted in present or (wanted is not None and not present):
        return wanted
    if wanted is None and len(present) == 1:
        return present[0]
    if wanted is not None:
        raise ImagesError(f"the folder holds no subset {wanted}, but {' and '.join(present)}", where=str(root))
    holds = f"the folder holds the subsets {' and '.join(present)}"
    if not present:
        holds = "nothing says which subset the folder holds"
    asks = " or ".join(f"--subset {name}" for name in spec.subsets)
    raise ImagesError(f"{holds}; their labels mean different things", where=str(root), fix=f"give {asks}")


def subset_of(spec: ImageSpec, path: str) -> str | None:
    """The subset that one of the folders of a path belongs to."""
    folders = {part.casefold() for part in path.split("/")[:-1]}
    for name, subset in spec.subsets.items():
        if folders & {folder.casefold() for folder in subset.folders}:
            return name
    return None


def only(spec: ImageSpec, chosen: str | None, paths: Sequence[str]) -> tuple[list[str], Counter[str]]:
    """The paths that belong to the chosen subset or to none, and how many belong to each of the others."""
    kept: list[str] = []
    others: Counter[str] = Counter()
    for path in paths:
        name = subset_of(spec, path)
        if name is None or name == chosen:
            kept.append(path)
        else:
            others[name] += 1
    return kept, others
